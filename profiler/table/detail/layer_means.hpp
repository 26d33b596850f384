// One latency a layer, for the tables of other tools, whose keys say nothing of footprint, layout and noise.
//
// What such a table is for is a sum over a network's layers that comes near the network's latency. So rows that
// are not noisy count before noisy ones, and of a layer that was timed in several networks the mean of its rows does:
// the slowest of them, taken for each layer, adds up to more than any of those networks took. A network runs in
// one memory layout, so rows count that have the layout of more of the layers; one in the other layout counts where a layer
// was not measured in the first.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::detail {

struct TimedLayer {
    LayerSpec layer;
    double latency_us = 0.0;
    bool noisy = false;
};

struct LayerMean {
    double latency_us = 0.0;
    std::vector<std::size_t> rows;  // of those given, that it is the mean of
};

// By layer, in the layout channels_last. A row that is in no mean has a reason in `left_out`.
struct LayerMeans {
    std::map<LayerSpec, LayerMean> layers;
    std::vector<std::string> left_out;  // one a row; empty where it counts
};

LayerMeans mean_latencies(const std::vector<TimedLayer>& rows);

}  // namespace hacscale::detail
