// cuDNN's engine plans in numbers: what cuDNN says of one, from the JSON that it writes, and which settings of an
// engine's knobs a sweep tries, in what order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hacscale::cuda {

struct PlanInfo {
    std::int64_t engine = 0;
    // By cuDNN's name without its prefix, in lower case: "tile_size", "stages", "split_k_slc". Knobs whose
    // value is -1 are cuDNN's to choose and are left out.
    std::map<std::string, std::int64_t> knobs;
    std::string name;  // "eng10_k2=5_k13=1", the tag that cuDNN's tools use: knobs by their numbers
    std::int64_t workspace_bytes = 0;
};

// Fills engine and knobs. Throws WorkError when the text is no plan.
PlanInfo parse_plan(const std::string& plan_json);

struct KnobRange {
    std::int64_t knob = 0;  // cuDNN's number of it
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::int64_t stride = 1;
};

constexpr std::int64_t split_k_knob = 9;   // SPLIT_K_SLC: into how many slices the sum over inputs is cut
constexpr std::int64_t max_k_slices = 16;  // more slices than that are slower to add up than to compute

using KnobSetting = std::map<std::int64_t, std::int64_t>;  // value by knob

// Combinations of the knobs' values, each once, at most `most` of them, in an order that `seed` shuffles: a sweep
// that runs out of time has seen all parts of the range. Of the slices over K only powers of two are taken. One
// empty setting where there are no knobs.
std::vector<KnobSetting> knob_settings(const std::vector<KnobRange>& knobs, std::size_t most,
                                       std::uint64_t seed);

}  // namespace hacscale::cuda
