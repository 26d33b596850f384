// A network with stages: what is read can be lowered, and is the same when it was written and read again.
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_model(std::string_view bytes) {
    const auto model = accepted(bytes, [&] { return parse_model(bytes, "fuzzed.yaml"); });
    if (!model) return;
    require(parse_model(to_yaml(*model), "written.yaml") == *model,
            "a model is another one when it was written");
    require(!lower(*model).nodes.empty(), "a model has no layers");
}

}  // namespace hacscale::fuzzing
