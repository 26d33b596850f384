// The entries of once-for-all's latency table that some layers make; see profiler/table/export.hpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale::detail {

struct TimedLayer {
    LayerSpec layer;
    double latency_us = 0.0;
};

struct OfaEntries {
    std::map<std::string, double> latency_us;  // by words
    std::vector<std::string> left_out;  // for each layer, why it is in no entry; empty where it is in one
};

OfaEntries ofa_entries(const std::vector<TimedLayer>& layers);

}  // namespace hacscale::detail
