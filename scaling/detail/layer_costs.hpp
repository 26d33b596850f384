// What single layers add to the cost and the needs of a block, each layer's latency looked up once.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "models/graph/latency_source.hpp"
#include "models/ops/layer_spec.hpp"
#include "scaling/planner/chain_problem.hpp"
#include "scaling/stage_costs.hpp"

namespace hacscale::detail {

class LayerCosts {
public:
    // All three must outlive this; `coverage` counts the layers looked up.
    LayerCosts(const LatencySource& source, const CostSettings& settings, CostCoverage& coverage)
        : source_(source), settings_(settings), coverage_(coverage) {}

    // One layer as a way of its own, without its activations; infeasible when its latency is not known.
    BlockWay of(const LayerSpec& layer, std::int64_t learned_params);
    std::int64_t activation_bytes(std::int64_t elements) const;

private:
    std::optional<std::int64_t> look_up(const LayerSpec& layer);

    const LatencySource& source_;
    const CostSettings& settings_;
    CostCoverage& coverage_;
    std::unordered_map<LayerSpec, std::optional<std::int64_t>, LayerSpecHash> known_;
};

// Adds costs and needs; infeasible when either part is.
void join(BlockWay& way, const BlockWay& part);

}  // namespace hacscale::detail
