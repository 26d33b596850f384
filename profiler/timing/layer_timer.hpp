// Times layers alone, in the two states at the ends: warm (again and again) and cold (everything the layer
// touches evicted before each run). Interleaved rounds in random order, as network_timer.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "profiler/timing/rounds.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale {

enum class IsolatedState { warm, cold };

struct LayerTiming {
    MedianEstimate latency;  // microseconds
    std::int64_t samples = 0;
    bool converged = false;
};

// Each runner is a single_layer() with weights and inputs loaded. As long as `keep_going` says so. Throws
// DeviceLostInTurn with a place in `runners`.
std::vector<LayerTiming> time_layers(const std::vector<NetworkRunner*>& runners, IsolatedState state,
                                     const TimingRules& rules, std::uint64_t seed,
                                     const std::function<bool()>& keep_going);

}  // namespace hacscale
