#include "scaling/detail/layer_costs.hpp"

#include "models/ops/layer_cost.hpp"

namespace hacscale::detail {

BlockWay LayerCosts::of(const LayerSpec& layer, std::int64_t learned_params) {
    const LayerCost cost = cost_of(layer, 1, DataType::f32);
    BlockWay way;
    way.needs = {learned_params, cost.macs, cost.params * static_cast<std::int64_t>(size_of(settings_.type)),
                 0};
    if (settings_.model == CostModel::macs) {
        way.cost = cost.macs;
        return way;
    }
    if (settings_.model == CostModel::params) {
        way.cost = learned_params;
        return way;
    }
    const auto [entry, is_new] = known_.try_emplace(layer);
    if (is_new) entry->second = look_up(layer);
    way.cost = entry->second.value_or(infeasible_cost);
    return way;
}

std::int64_t LayerCosts::activation_bytes(std::int64_t elements) const {
    return elements * settings_.batch * static_cast<std::int64_t>(size_of(settings_.type));
}

std::optional<std::int64_t> LayerCosts::look_up(const LayerSpec& layer) {
    const LatencyEstimate estimate = source_.estimate(layer);
    ++coverage_.distinct_layers;
    if (estimate.kind == EstimateKind::interpolated) ++coverage_.interpolated_layers;
    if (estimate.kind != EstimateKind::missing) return picoseconds(estimate.latency_us);
    if (coverage_.missing_layers++ == 0) coverage_.first_missing = layer.key();
    return std::nullopt;
}

void join(BlockWay& way, const BlockWay& part) {
    way.cost = way.feasible() && part.feasible() ? way.cost + part.cost : infeasible_cost;
    way.needs.add(part.needs);
}

}  // namespace hacscale::detail
