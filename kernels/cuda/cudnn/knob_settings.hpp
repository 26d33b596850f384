// Which settings of an engine's knobs a sweep tries, and in what order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace hacscale::cuda {

struct KnobRange {
    std::int64_t knob = 0;  // cuDNN's number of it
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::int64_t stride = 1;
};

constexpr std::int64_t split_k_knob = 9;    // SPLIT_K_SLC: into how many slices the sum over inputs is cut
constexpr std::int64_t most_k_slices = 16;  // more slices than that are slower to add up than to compute

using KnobSetting = std::map<std::int64_t, std::int64_t>;  // value by knob

// Combinations of the knobs' values, each once, at most `most` of them, in an order that `seed` shuffles: a sweep
// that runs out of time has seen all parts of the range. Of the slices over K only powers of two are taken. One
// empty setting where there are no knobs.
std::vector<KnobSetting> knob_settings(const std::vector<KnobRange>& knobs, std::size_t most,
                                       std::uint64_t seed);

}  // namespace hacscale::cuda
