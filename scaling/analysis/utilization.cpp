#include "scaling/analysis/utilization.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale {
namespace {

constexpr double us_per_s = 1e6;

void check(const DevicePeak& peak) {
    if (peak.flops_per_s > 0.0 && peak.bytes_per_s > 0.0) return;
    throw InputError(
        fmt::format("a device's peak is {} FLOP/s and {} B/s, expected both above 0; measure the peaks first",
                    peak.flops_per_s, peak.bytes_per_s));
}

double flops_of(const Graph& network, int batch) {
    return 2.0 * static_cast<double>(network.macs()) * batch;
}

}  // namespace

std::vector<LayerEfficiency> layer_efficiencies(const Graph& network, const LatencySource& source, int batch,
                                                DataType type, const DevicePeak& peak) {
    check(peak);
    std::vector<LayerEfficiency> layers;
    layers.reserve(network.nodes.size());
    for (const Node& node : network.nodes) {
        LayerEfficiency& layer = layers.emplace_back();
        layer.name = node.name;
        layer.layer = node.layer;
        layer.stage = node.stage;
        layer.block = node.block;
        layer.estimate = source.estimate(node.layer);
        const LayerCost cost = cost_of(node.layer, batch, type);
        layer.macs = cost.macs;
        layer.bytes = cost.bytes;
        if (!(layer.estimate.latency_us > 0.0)) continue;
        const double seconds = layer.estimate.latency_us / us_per_s;
        const double compute_s = static_cast<double>(cost.flops()) / peak.flops_per_s;
        const double memory_s = static_cast<double>(cost.bytes) / peak.bytes_per_s;
        layer.utilization = compute_s / seconds;
        layer.roofline_efficiency = std::max(compute_s, memory_s) / seconds;
    }
    return layers;
}

std::optional<double> utilization(const Graph& network, const LatencySource& source, int batch,
                                  const DevicePeak& peak) {
    const NetworkEstimate total = estimate(network, source);
    if (total.missing_layers > 0) return std::nullopt;
    return utilization(network, total.latency_us, batch, peak);
}

double utilization(const Graph& network, double latency_us, int batch, const DevicePeak& peak) {
    check(peak);
    if (!(latency_us > 0.0)) throw InputError(fmt::format("a latency of {} us is not above 0", latency_us));
    return flops_of(network, batch) / (latency_us / us_per_s * peak.flops_per_s);
}

}  // namespace hacscale
