// libFuzzer over ONNX files: whatever the bytes are, reading, simplifying and importing them gives a network or an InputError. A model
// that was read is written again and must be the same; simplifying is done at another batch as well.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"

namespace {

template <typename Work>
void attempt(const Work& work) {
    try {
        work();
    } catch (const hacscale::InputError&) {
        // A sentence about what is wrong is as good an end as a model.
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try {
        const hacscale::onnx::Model model = hacscale::onnx::read_bytes(bytes, "fuzzed.onnx");
        // Bytes, because a number that is NaN does not equal itself.
        const std::string written = hacscale::onnx::to_bytes(model);
        if (hacscale::onnx::to_bytes(hacscale::onnx::read_bytes(written, "again.onnx")) != written) {
            std::abort();
        }
        attempt([&] { (void)hacscale::import_onnx(model, "fuzzed"); });
        attempt([&] {
            hacscale::onnx::Model batched = model;
            hacscale::onnx::fix_inputs(batched, 3, {});
            (void)hacscale::onnx::simplify(std::move(batched));
        });
    } catch (const hacscale::InputError&) {
        return 0;
    }
    return 0;
}
