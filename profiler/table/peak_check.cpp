#include "profiler/table/peak_check.hpp"

#include <algorithm>

#include "models/ops/layer_cost.hpp"

namespace hacscale {

std::optional<double> greatest_utilization(const Table& table, DataType type) {
    const std::optional<PeakRecord> peak = table.peak(type);
    if (!peak || !(peak->flops_per_s > 0.0)) return std::nullopt;
    RowFilter filter;
    filter.type = type;
    filter.status = RowStatus::ok;
    std::optional<double> greatest;
    table.for_each(filter, [&](const Row& row) {
        const auto flops = static_cast<double>(cost_of(row.key.layer, row.key.batch, type).flops());
        const double utilization = flops / (row.latency_us * 1e-6 * peak->flops_per_s);
        greatest = std::max(greatest.value_or(0.0), utilization);
    });
    return greatest;
}

PeakRecord better_of(const PeakRecord& a, const PeakRecord& b) {
    PeakRecord better = b;
    better.flops_per_s = std::max(a.flops_per_s, b.flops_per_s);
    better.bytes_per_s = std::max(a.bytes_per_s, b.bytes_per_s);
    return better;
}

}  // namespace hacscale
