// One network's latency in two tables, layer by layer: what a change of driver, library or device means to
// it.
#pragma once

#include <string>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/graph/network.hpp"
#include "profiler/table/diff.hpp"

namespace hacscale {

struct LayerChange : LatencyRatio {
    std::string name;    // of the network's node
    LayerSpec layer;     // as in the second network
    double share = 0.0;  // of the first network's time that the change comes to: (b - a) / sum of a
};

struct NetworkDiff {
    LatencyRatio total;               // sums over the layers that both tables know
    std::vector<LayerChange> layers;  // greatest share first
    int unknown_layers = 0;           // that at least one table does not know
    std::string first_unknown;        // its name
};

// The same network in the layouts in which the two tables know it: the nodes correspond. The interval of a
// sum is the root of the sum of squares of its layers'; what is interpolated has none of its own. InputError
// for networks with different nodes, or when nothing of them is known to both.
NetworkDiff diff_network(const Network& network_a, const LatencySource& a, const Network& network_b,
                         const LatencySource& b);

}  // namespace hacscale
