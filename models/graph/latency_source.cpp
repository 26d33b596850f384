#include "models/graph/latency_source.hpp"

#include <fmt/format.h>

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

std::string layer_text(const std::string& name, const LayerSpec& layer) {
    return name.empty() ? layer.key() : fmt::format("{} ({})", name, layer.key());
}

NetworkEstimate estimate(const Graph& network, const LatencySource& source) {
    NetworkEstimate sum;
    for (const Node& node : network.nodes) {
        const LatencyEstimate layer = source.estimate(node.layer);
        sum.latency_us += layer.latency_us;
        if (layer.kind == EstimateKind::interpolated) ++sum.interpolated_layers;
        if (layer.kind == EstimateKind::missing) {
            if (sum.missing_layers++ == 0) sum.first_missing = layer_text(node.name, node.layer);
        }
    }
    return sum;
}

}  // namespace hacscale
