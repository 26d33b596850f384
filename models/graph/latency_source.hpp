// Where planners get latencies from: a table, a table with interpolation, or a made-up function in a test.
// Batch, data type and cache state are fixed when a source is made.
#pragma once

#include <string>
#include <string_view>

#include "models/graph/graph.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale {

enum class EstimateKind { measured, interpolated, missing };
std::string_view name_of(EstimateKind kind);

struct LatencyEstimate {
    double latency_us = 0.0;  // 0 when missing
    EstimateKind kind = EstimateKind::missing;
    double ci95_us = 0.0;  // half-width of the 95 % interval; 0 where the kind is not measured
    bool noisy = false;    // measured, but a row that it rests on is noisy
};

class LatencySource {
public:
    virtual ~LatencySource() = default;
    // Thread-compatible: one source a thread.
    virtual LatencyEstimate estimate(const LayerSpec& layer) const = 0;
};

struct NetworkEstimate {
    double latency_us = 0.0;  // sum over the layers
    int interpolated_layers = 0;
    int missing_layers = 0;
    std::string first_missing;  // layer_text() of the first missing layer, for messages
};

// "NAME (KEY)": a layer as its network and as the table have it; the key alone of one without a name.
std::string layer_text(const std::string& name, const LayerSpec& layer);

NetworkEstimate estimate(const Graph& network, const LatencySource& source);

}  // namespace hacscale
