// How much of the device a network uses. Definitions (docs/method.md, "Quantities"):
//     utilization = FLOPs / (latency x peak), of a network: sum of FLOPs / (sum of latencies x peak)
//     roofline efficiency = max(FLOPs / peak, bytes / bandwidth) / latency
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/latency_source.hpp"

namespace hacscale {

// The ceilings of a device in one data type: what was measured of it, not what its maker says.
struct DevicePeak {
    double flops_per_s = 0.0;
    double bytes_per_s = 0.0;
};

// A figure is absent where the latency is missing.
struct LayerEfficiency {
    std::string name;  // of the node
    LayerSpec layer;
    int stage = 0;
    int block = 0;
    LatencyEstimate estimate;
    std::int64_t macs = 0;   // of the batch
    std::int64_t bytes = 0;  // of the batch
    std::optional<double> utilization;
    std::optional<double> roofline_efficiency;
};

// Throws InputError when a peak is not above 0.
std::vector<LayerEfficiency> layer_efficiencies(const Graph& network, const LatencySource& source, int batch,
                                                DataType type, const DevicePeak& peak);

// Nothing when a layer's latency is missing.
std::optional<double> utilization(const Graph& network, const LatencySource& source, int batch,
                                  const DevicePeak& peak);
// The same from a latency measured of the whole network. Throws InputError when it is not above 0.
double utilization(const Graph& network, double latency_us, int batch, const DevicePeak& peak);

}  // namespace hacscale
