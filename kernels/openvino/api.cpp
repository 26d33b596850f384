#include "kernels/openvino/api.hpp"

#include <stdlib.h>

#include "base/error.hpp"
#include "kernels/host/library_search.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::openvino {
namespace {

constexpr const char* advice = "install it with: pip install openvino";

template <typename Function>
void take(Function& function, const host::Library& library, const char* name) {
    function = reinterpret_cast<Function>(library.symbol(name));
    if (function == nullptr) {
        throw MissingError(library.path.string() + " has no function " + name + "; " + advice);
    }
}

// "2026.4.1" of "2026.4.1-22013-...".
std::string version_in(const std::string& build_number) {
    return build_number.substr(0, build_number.find('-'));
}

}  // namespace

Api::Api() {
    const host::OnMeasuringProcessors here;  // threads that the library starts as it is opened
    // Its oneDNN keeps to this limit and its own code generator does not, and kernels of both in one network crash.
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
    host::LibraryPlaces places;
    places.variable = "HACSCALE_OPENVINO_LIBS";
    places.packages = {"openvino/libs"};
    const host::Library library = host::open_library(places, "libopenvino_c.so", advice);
    if (library.handle == nullptr) throw MissingError(library.reason);
    take(last_message_, library, "ov_get_last_err_msg");
    take(core_create, library, "ov_core_create");
    take(core_read_model_from_memory_buffer, library, "ov_core_read_model_from_memory_buffer");
    take(core_compile_model, library, "ov_core_compile_model");
    take(compiled_model_create_infer_request, library, "ov_compiled_model_create_infer_request");
    take(infer_request_get_input_tensor_by_index, library, "ov_infer_request_get_input_tensor_by_index");
    take(infer_request_get_output_tensor_by_index, library, "ov_infer_request_get_output_tensor_by_index");
    take(infer_request_infer, library, "ov_infer_request_infer");
    take(infer_request_get_profiling_info, library, "ov_infer_request_get_profiling_info");
    take(tensor_data, library, "ov_tensor_data");
    take(tensor_get_byte_size, library, "ov_tensor_get_byte_size");
    take(model_free, library, "ov_model_free");
    take(compiled_model_free, library, "ov_compiled_model_free");
    take(infer_request_free, library, "ov_infer_request_free");
    take(tensor_free, library, "ov_tensor_free");
    take(profiling_info_list_free, library, "ov_profiling_info_list_free");
    int (*get_version)(Version*) = nullptr;
    void (*free_version)(Version*) = nullptr;
    take(get_version, library, "ov_get_openvino_version");
    take(free_version, library, "ov_version_free");
    Version version{};
    check(get_version(&version), "to say its version");
    version_ = version_in(version.build_number);
    free_version(&version);
}

const Api& Api::get() {
    static const Api api;
    return api;
}

void Api::check(int status, const char* doing) const {
    if (status == 0) return;
    const char* const message = last_message_();
    throw WorkError(
        std::string("OpenVINO failed ") + doing + ": " +
        (message == nullptr || *message == '\0' ? "status " + std::to_string(status) : std::string(message)));
}

}  // namespace hacscale::openvino
