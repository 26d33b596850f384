// libFuzzer over ONNX files: whatever the bytes are, reading and simplifying them gives a model or an InputError. A model that was read
// is written again and must be the same; simplifying is done at two batches, as an import does it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace {

void simplify_at(hacscale::onnx::Model model, std::int64_t batch) {
    try {
        hacscale::onnx::fix_inputs(model, batch, {});
        (void)hacscale::onnx::simplify(std::move(model));
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
        simplify_at(model, 1);
        simplify_at(model, 3);
    } catch (const hacscale::InputError&) {
        return 0;
    }
    return 0;
}
