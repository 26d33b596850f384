// Sensitivity and importance files of a small network. The base gains nothing, whatever coefficients a file gives.
#include "models/zoo/zoo.hpp"
#include "scaling/gain.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {

void fuzz_gain(std::string_view bytes) {
    static const ModelSpec base = find_model("resnet8-cifar");
    const auto gain = accepted(bytes, [&] { return parse_gain(std::string(bytes), "fuzzed.yaml", base); });
    if (!gain) return;
    require(gain->stages.size() == base.stages.size(), "a gain lacks stages");
    require(gain->of(choice_of(base)) == 0.0, "the base has a gain");
}

}  // namespace hacscale::fuzzing
