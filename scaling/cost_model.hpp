// What the planner's costs count, and how much of the latencies that they rest on is measured.
#pragma once

#include <cstdint>
#include <string>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// What the chain's costs count.
enum class CostModel {
    latency,  // picoseconds
    macs,     // of one image
    params,
};

struct CostSettings {
    CostModel model = CostModel::latency;
    // Of the activations and weights that usage counts; MACs and params are of one image.
    int batch = 1;
    DataType type = DataType::f32;
};

// How much of the latencies is measured.
struct CostCoverage {
    int distinct_layers = 0;
    int interpolated_layers = 0;  // of the distinct ones
    int missing_layers = 0;       // of the distinct ones; options that need one are infeasible
    std::int64_t options = 0;     // entries and bodies, over all stages and resolutions
    std::int64_t infeasible_options = 0;
    std::string first_missing;  // key of one missing layer, of a graph layer_text(), for messages
};

}  // namespace hacscale
