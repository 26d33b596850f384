// Two tables compared, for example before and after a driver update: row by row, and one network layer by layer.
#pragma once

#include <string>
#include <vector>

#include "base/statistics.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/latency_source.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// A row that has a latency in both tables.
struct RowRatio : LatencyRatio {
    RowKey key;
};

// A row of both tables that has a latency in one of them at most.
struct StatusPair {
    RowKey key;
    RowStatus a = RowStatus::ok;
    RowStatus b = RowStatus::ok;
    std::string reason;  // of the one without a latency; of b when both have none
};

struct TableDiff {
    DeviceRecord device_a;
    DeviceRecord device_b;
    bool same_device = true;       // equal fingerprints; otherwise ratios compare devices, not states of one
    std::vector<RowRatio> ratios;  // greatest change in time first
    std::vector<StatusPair> without_ratio;
    std::vector<RowKey> only_a;
    std::vector<RowKey> only_b;
    int significantly_slower = 0;  // in b
    int significantly_faster = 0;
    double geometric_mean_ratio = 1.0;  // of `ratios`; 1 when there are none
};

TableDiff diff_tables(const Table& a, const Table& b);

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
NetworkDiff diff_network(const Graph& network_a, const LatencySource& a, const Graph& network_b,
                         const LatencySource& b);

}  // namespace hacscale
