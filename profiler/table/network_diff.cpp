#include "profiler/table/network_diff.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace hacscale {

NetworkDiff diff_network(const Network& network_a, const LatencySource& a, const Network& network_b,
                         const LatencySource& b) {
    const bool same =
        std::ranges::equal(network_a.nodes, network_b.nodes, {}, &NetworkNode::name, &NetworkNode::name);
    if (!same) throw InputError("a network is compared with another one: their layers have other names");
    NetworkDiff diff;
    double sum_a_us = 0.0;
    double sum_b_us = 0.0;
    double ci95_a_us = 0.0;
    double ci95_b_us = 0.0;
    for (std::size_t i = 0; i < network_a.nodes.size(); ++i) {
        const NetworkNode& node = network_b.nodes[i];
        const LatencyEstimate in_a = a.estimate(network_a.nodes[i].layer);
        const LatencyEstimate in_b = b.estimate(node.layer);
        if (in_a.kind == EstimateKind::missing || in_b.kind == EstimateKind::missing) {
            if (diff.unknown_layers++ == 0) diff.first_unknown = node.name;
            continue;
        }
        sum_a_us += in_a.latency_us;
        sum_b_us += in_b.latency_us;
        ci95_a_us = std::hypot(ci95_a_us, in_a.ci95_us);
        ci95_b_us = std::hypot(ci95_b_us, in_b.ci95_us);
        diff.layers.push_back({latency_ratio(in_a.latency_us, in_a.ci95_us, in_b.latency_us, in_b.ci95_us),
                               node.name, node.layer});
    }
    if (diff.layers.empty()) throw InputError("no layer of the network is in both tables; profile it");
    diff.total = latency_ratio(sum_a_us, ci95_a_us, sum_b_us, ci95_b_us);
    for (LayerChange& layer : diff.layers) layer.share = (layer.b_us - layer.a_us) / sum_a_us;
    std::ranges::stable_sort(diff.layers, std::ranges::greater(),
                             [](const LayerChange& layer) { return std::abs(layer.share); });
    return diff;
}

}  // namespace hacscale
