// Two tables compared row by row, for example before and after a driver update.
#pragma once

#include <string>
#include <vector>

#include "base/statistics.hpp"
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

}  // namespace hacscale
