#include "profiler/detail/pending_rows.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <vector>

#include "kernels/backend/spot_check.hpp"
#include "profiler/row_values.hpp"

namespace hacscale::detail {

Row new_row(const RowKey& key, const std::string& carrier) {
    Row row;
    row.key = key;
    row.carrier = carrier;
    row.measured_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
    return row;
}

std::optional<Row> PendingRows::find(const RowKey& key) const {
    const auto here = rows_.find(key);
    return here != rows_.end() ? here->second : table_.find(key);
}

void PendingRows::put(Row row) {
    const RowKey key = row.key;
    rows_.insert_or_assign(key, std::move(row));
}

void PendingRows::blame(Row& row, const char* doing, const DeviceLost& lost) {
    fail(row, fmt::format("{} (the device was lost while {} alone{}{})", lost.what(), doing,
                          row.implementation.empty() ? "" : " as ", row.implementation));
    row.carrier.clear();
    const std::optional<Row> there = find(row.key);
    if (!there || !has_latency(there->status)) put(row);
}

CommittedRows PendingRows::commit() const {
    CommittedRows committed;
    std::vector<Row> list;
    for (const auto& [key, row] : rows_) {
        list.push_back(row);
        ++committed.written;
        if (row.status == RowStatus::noisy) ++committed.noisy;
        if (!has_latency(row.status)) ++committed.failed;
    }
    if (!list.empty()) table_.put(list);
    return committed;
}

void OutputCheck::operator()(Row& row, std::int64_t footprint_bytes) {
    if (!enabled_) return;
    const std::pair kernel{row.key.layer, row.implementation};
    auto known = faults_.find(kernel);
    if (known == faults_.end()) {
        const CompileOptions options{settings_.batch, settings_.type, footprint_bytes};
        const std::string fault =
            spot_check(*device_.backend, device_.device.id, row.key.layer, options).reason;
        known = faults_.emplace(kernel, fault).first;
    }
    if (!known->second.empty()) fail(row, known->second);
}

}  // namespace hacscale::detail
