#include "models/graph/latency_source.hpp"

namespace hacscale {

std::string_view name_of(EstimateKind kind) {
    switch (kind) {
        case EstimateKind::measured:
            return "measured";
        case EstimateKind::interpolated:
            return "interpolated";
        case EstimateKind::missing:
            break;
    }
    return "missing";
}

NetworkEstimate estimate(const Graph& network, const LatencySource& source) {
    NetworkEstimate sum;
    for (const Node& node : network.nodes) {
        const LatencyEstimate layer = source.estimate(node.layer);
        sum.latency_us += layer.latency_us;
        if (layer.kind == EstimateKind::interpolated) ++sum.interpolated_layers;
        if (layer.kind == EstimateKind::missing) {
            if (sum.missing_layers++ == 0) sum.first_missing = node.layer.key();
        }
    }
    return sum;
}

}  // namespace hacscale
