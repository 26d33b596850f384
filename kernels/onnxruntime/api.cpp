#include "kernels/onnxruntime/api.hpp"

#include <new>

#include "base/error.hpp"
#include "kernels/host/library_search.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::onnxruntime {
namespace {

constexpr const char* advice =
    "install it with: pip install onnxruntime (1.25 or newer), or for GPUs: pip install "
    "'onnxruntime-gpu[cuda,cudnn]'";
// The first version whose runs can be profiled one by one.
constexpr std::uint32_t least_version = 25;

// Of the table of functions (OrtApi).
enum Place : std::size_t {
    error_message = 2,
    create_env = 3,
    create_session_from_bytes = 8,
    run = 9,
    create_session_options = 10,
    set_optimized_model_file = 11,
    set_intra_op_threads = 24,
    create_run_options = 39,
    create_tensor = 49,
    create_memory_info = 68,
    release_status = 93,
    release_memory_info = 94,
    release_session = 95,
    release_value = 96,
    release_run_options = 97,
    release_session_options = 100,
    get_providers = 125,
    release_providers = 126,
    run_with_binding = 133,
    create_io_binding = 134,
    release_io_binding = 135,
    bind_input = 136,
    bind_output = 137,
    append_cuda = 204,
    create_cuda_options = 205,
    update_cuda_options = 206,
    release_cuda_options = 208,
    enable_profiling = 415,
};

// What the library's only exported function returns (OrtApiBase).
struct ApiBase {
    const void* const* (*table)(std::uint32_t version);
    const char* (*version_text)();
};

template <typename Function>
void take(Function& function, const void* const* table, Place place) {
    function = reinterpret_cast<Function>(const_cast<void*>(table[place]));
}

}  // namespace

Api::Api() {
    const host::OnMeasuringProcessors here;  // threads that the library starts as it is opened
    host::LibraryPlaces places;
    places.variable = "HACSCALE_ONNXRUNTIME_LIBS";
    places.packages = {"onnxruntime/capi"};
    const host::Library library = host::open_library(places, "libonnxruntime.so", advice);
    if (library.handle == nullptr) throw MissingError(library.reason);
    const auto base = reinterpret_cast<const ApiBase* (*)()>(library.symbol("OrtGetApiBase"));
    if (base == nullptr) throw MissingError(library.path.string() + " is no ONNX Runtime; " + advice);
    version_ = base()->version_text();
    const void* const* table = base()->table(least_version);
    if (table == nullptr) {
        throw MissingError(library.path.string() + " is ONNX Runtime " + version_ +
                           ", which cannot profile single runs; " + advice);
    }
    take(error_message_, table, Place::error_message);
    take(release_status_, table, Place::release_status);
    take(create_env, table, Place::create_env);
    take(create_session_options, table, Place::create_session_options);
    take(set_optimized_model_file, table, Place::set_optimized_model_file);
    take(set_intra_op_threads, table, Place::set_intra_op_threads);
    take(create_session_from_bytes, table, Place::create_session_from_bytes);
    take(run, table, Place::run);
    take(create_run_options, table, Place::create_run_options);
    take(enable_profiling, table, Place::enable_profiling);
    take(get_providers_, table, Place::get_providers);
    take(release_providers_, table, Place::release_providers);
    take(create_memory_info, table, Place::create_memory_info);
    take(create_io_binding, table, Place::create_io_binding);
    take(bind_input, table, Place::bind_input);
    take(bind_output, table, Place::bind_output);
    take(run_with_binding, table, Place::run_with_binding);
    take(create_cuda_options, table, Place::create_cuda_options);
    take(update_cuda_options, table, Place::update_cuda_options);
    take(append_cuda, table, Place::append_cuda);
    take(release_io_binding, table, Place::release_io_binding);
    take(release_cuda_options, table, Place::release_cuda_options);
    take(create_tensor, table, Place::create_tensor);
    take(release_session, table, Place::release_session);
    take(release_session_options, table, Place::release_session_options);
    take(release_run_options, table, Place::release_run_options);
    take(release_memory_info, table, Place::release_memory_info);
    take(release_value, table, Place::release_value);
}

const Api& Api::get() {
    static const Api api;
    return api;
}

std::vector<std::string> Api::providers() const {
    char** names = nullptr;
    int count = 0;
    check(get_providers_(&names, &count), "to name its providers");
    std::vector<std::string> providers(names, names + count);
    check(release_providers_(names, count), "to release their names");
    return providers;
}

void Api::check(OrtStatus* status, const char* doing) const {
    if (status == nullptr) return;
    const std::string message = error_message_(status);
    release_status_(status);
    // Its arenas', and CUDA's.
    for (const char* no_memory : {"Failed to allocate memory", "out of memory"}) {
        if (message.find(no_memory) != std::string::npos) throw std::bad_alloc();
    }
    throw WorkError(std::string("ONNX Runtime failed ") + doing + ": " + message);
}

}  // namespace hacscale::onnxruntime
