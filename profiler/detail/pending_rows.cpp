#include "profiler/detail/pending_rows.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "models/graph/graph.hpp"
#include "profiler/row_values.hpp"

namespace hacscale::detail {

std::string measured_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

Row new_row(const RowKey& key, const std::string& host_network) {
    Row row;
    row.key = key;
    row.host_network = host_network;
    row.measured_at = measured_now();
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
    row.host_network.clear();
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

namespace {

// A layer's interval may be this many times wider than its network's before the row counts as noisy: short
// layers scatter more, and a sum of many does not.
constexpr double row_tolerance_factor = 3.0;
// Or this share of what its network's interval may be: then it hardly matters to any sum.
constexpr double row_share_of_tolerance = 0.1;

}  // namespace

NetworkRows::Places NetworkRows::places_of(const HostGraphs& host) const {
    Places places;
    for (std::size_t i = 0; i < host.timed.nodes.size(); ++i) {
        places[row_key(host.timed.nodes[i].layer, host.whole, settings_, CacheState::network)].push_back(i);
    }
    return places;
}

bool NetworkRows::add_unsupported(const HostGraphs& host, const NetworkMeasurement& measured) {
    if (measured.why_no_runner != NoRunner::unsupported) return false;
    const CompileOptions options{settings_.batch, settings_.type,
                                 pass_footprint(host.whole, settings_.batch, settings_.type)};
    std::vector<Row> without;
    for (const auto& place : places_of(host)) {
        const RowKey& key = place.first;
        const std::optional<Row> there = rows_.find(key);
        if (there && has_latency(there->status)) continue;
        Row row = new_row(key, "");
        rows_.losing(row, "it was compiled", [&] {
            const Compiled compiled =
                device_.backend->compile(device_.device.id, single_layer(key.layer), options);
            if (compiled.runner) return;
            no_runner(row, compiled);
            if (row.status == RowStatus::failed) row.host_network = host.name;
            without.push_back(row);
        });
    }
    const bool any = std::any_of(without.begin(), without.end(),
                                 [](const Row& row) { return row.status == RowStatus::unsupported; });
    if (!any) return false;
    for (Row& row : without) rows_.put(std::move(row));
    return true;
}

void NetworkRows::add_failed(const HostGraphs& host, const std::string& reason) {
    for (const auto& [key, nodes] : places_of(host)) {
        const std::optional<Row> there = rows_.find(key);
        if (there && there->status != RowStatus::failed) continue;
        Row row = new_row(key, host.name);
        fail(row, fmt::format("{} could not be measured: {}", host.name, reason));
        rows_.put(std::move(row));
    }
}

void NetworkRows::add(const HostGraphs& host, const NetworkMeasurement& measured,
                      const std::function<bool(const RowKey&)>& given_up) {
    for (const auto& [key, nodes] : places_of(host)) {
        const std::optional<Row> there = rows_.find(key);
        // The layer took the device with it when it ran alone: it has no host network then.
        if (there && there->host_network.empty() && given_up(key)) continue;
        Row row = new_row(key, host.name);
        fill(row, nodes, measured);
        rows_.losing(row, "its output was checked",
                     [&] { check_(row, pass_footprint(host.whole, settings_.batch, settings_.type)); });
        if (there && has_latency(there->status)) {
            if (!has_latency(row.status)) continue;
            row = merged(*there, row);
        }
        rows_.put(std::move(row));
    }
}

std::string NetworkRows::unfinished(const NetworkTiming& timing) const {
    const double half_width = timing.total.relative_half_width();
    if (std::isfinite(half_width) && half_width > settings_.rules.target_half_width) {
        return fmt::format("its network's interval was still +-{:.1f} % when the time was up",
                           100.0 * half_width);
    }
    return fmt::format("only {} passes of its network counted when the time was up", timing.samples);
}

void NetworkRows::judge(Row& row, const NetworkMeasurement& measured, double pass_us) const {
    const double target = settings_.rules.target_half_width;
    const double limit = row_tolerance_factor * target;
    if (!measured.reason.empty()) {
        row.status = RowStatus::noisy;
        row.reason = measured.reason;
    } else if (!measured.timing.converged) {
        row.status = RowStatus::noisy;
        row.reason = unfinished(measured.timing);
    } else if (row.ci95_us > limit * row.latency_us &&
               row.ci95_us > row_share_of_tolerance * target * pass_us) {
        row.status = RowStatus::noisy;
        row.reason = fmt::format("its interval is +-{:.1f} %, wanted {:.1f} %",
                                 100.0 * row.ci95_us / row.latency_us, 100.0 * limit);
    }
}

void NetworkRows::fill(Row& row, const std::vector<std::size_t>& nodes,
                       const NetworkMeasurement& measured) const {
    set_timing(row, measured.timing, nodes);
    row.timed_by = measured.timing.profiled_us ? std::string(name_of(RowMethod::profiler))
                                               : method_of(row.key, settings_);
    if (settings_.rows == RowMethod::stopwatch && measured.timing.clock.readings > 0) {
        row.overhead_us = measured.timing.clock.layer_us;
    }
    row.implementation = measured.implementations[nodes.front()];
    double pass_us = 0.0;
    for (const MeanEstimate& node : measured.timing.nodes) pass_us += node.mean;
    judge(row, measured, pass_us);
    if (measured.readings.empty()) return;
    std::vector<const LayerReadings*> readings;
    for (const std::size_t node : nodes) readings.push_back(&measured.readings[node]);
    set_readings(row, readings, measured.state);
    if (measured.energy_mj) {
        row.readings.energy_mj = *measured.energy_mj * row.latency_us / pass_us;
    } else {
        row.readings.reasons["energy_mj"] = measured.energy_reason;
    }
}

}  // namespace hacscale::detail
