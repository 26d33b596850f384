// An ONNX file: what is read is the same when it was written and read again, and can be imported, and simplified at another batch.
#include <utility>

#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_onnx(std::string_view bytes) {
    const auto model = accepted(bytes, [&] { return onnx::read_bytes(bytes, "fuzzed.onnx"); });
    if (!model) return;
    // Bytes, because a number that is NaN does not equal itself.
    const std::string written = onnx::to_bytes(*model);
    require(onnx::to_bytes(onnx::read_bytes(written, "written.onnx")) == written,
            "a model is another one when it was written");
    (void)accepted(bytes, [&] { return import_onnx(*model, "fuzzed"); });
    (void)accepted(bytes, [&] {
        onnx::Model batched = *model;
        onnx::fix_inputs(batched, 3, {});
        return onnx::simplify(std::move(batched));
    });
}

}  // namespace hacscale::fuzzing
