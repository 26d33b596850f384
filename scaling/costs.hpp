// The planner's cost tables of a network: what each stage costs at each width, depth and resolution, on a
// device (latency) or on paper (MACs, params), and its resource usage.
//
// Only small fragments of the network are lowered, about one for each value of each width, and each
// distinct layer is looked up once. The sum over a chain equals estimate(lower(scaled(base, choice)), source)
// to the picosecond rounding of each layer. The stem counts with the first stage, the head with the last.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/cost_model.hpp"
#include "scaling/planner/chain_problem.hpp"
#include "scaling/space.hpp"

namespace hacscale {

struct StageCosts {
    ChainProblem problem;  // one chain a resolution of the space, ascending; gains are 0
    CostCoverage coverage;
};

// The options of a block are its inner widths, in the order of space.inner.options(). `source` is asked
// only when costs are latencies. Throws InputError when the space does not fit the base, or a
// latency is negative or not finite. Options that make no valid model (groups that do not divide a width) are
// infeasible.
StageCosts stage_costs(const ModelSpec& base, const ScalingSpace& space, const LatencySource& source,
                       const CostSettings& settings = {});

// A choice of indices as widths, depths and pixels, and inner widths where other options than the first are
// taken.
ScalingChoice choice_from(const ScalingSpace& space, const ChainChoice& indices);

}  // namespace hacscale
