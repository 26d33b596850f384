// Two tables compared row by row, for example before and after a driver update.
#pragma once

#include <string>
#include <vector>

#include "profiler/table/table.hpp"

namespace hacscale {

// Two latencies of one thing. The ratio b/a has a 95 % interval, by propagation of both intervals on its
// logarithm: half-width of ln(b/a) = sqrt((ci95_a/a)^2 + (ci95_b/b)^2). So the interval of a/b is the
// reciprocal one.
struct LatencyRatio {
    double a_us = 0.0;
    double b_us = 0.0;
    double ratio = 1.0;  // b/a: above 1 where b is slower
    double ratio_low = 1.0;
    double ratio_high = 1.0;
    bool significant = false;  // 1 lies outside the interval
};

// Latencies above 0 with the half-widths of their intervals.
LatencyRatio latency_ratio(double a_us, double ci95_a_us, double b_us, double ci95_b_us);

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
