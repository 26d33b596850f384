#include "profiler/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "models/graph/single_layer.hpp"
#include "profiler/detail/isolated_layers.hpp"
#include "profiler/detail/pending_rows.hpp"
#include "profiler/row_values.hpp"
#include "profiler/table/latency_index.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

// Networks timed together: enough for interleaving to mean something, few enough that little is lost by an
// interruption.
constexpr std::size_t most_in_group = 8;
constexpr std::int64_t most_group_bytes = std::int64_t{3} << 30;
constexpr std::size_t most_layers_in_group = 64;
// A layer's interval may be this many times wider than its network's before the row counts as noisy: short
// layers scatter more, and a sum of many does not.
constexpr double row_tolerance_factor = 3.0;
// Or this share of what its network's interval may be: then it hardly matters to any sum.
constexpr double row_share_of_tolerance = 0.1;

class Profiling {
public:
    Profiling(const DeviceHandle& device, Table& table, const ProfileRequest& request,
              const WorkEvents& events)
        : device_(device),
          table_(table),
          request_(request),
          events_(events),
          fastest_pace_us_(expect_pace_of(table, device, request.settings)),
          check_(device, request.settings, request.check_outputs) {}

    ProfileSummary run() {
        const std::int64_t dropped_before = dropped_records();
        if (request_.caches.contains(CacheState::network)) run_carriers();
        for (const CacheState cache : {CacheState::warm, CacheState::cold}) {
            if (request_.caches.contains(cache)) run_alone(cache);
        }
        summary_.interrupted = !events_.keep_going();
        summary_.given_up = still_failed();
        summary_.dropped_records = dropped_records() - dropped_before;
        return summary_;
    }

private:
    const MeasureSettings& settings() const { return request_.settings; }
    Instruments* instruments() const { return settings().instruments; }
    std::int64_t dropped_records() const {
        return instruments() != nullptr ? instruments()->dropped_records() : 0;
    }

    std::string method_of(const RowKey& key) const {
        return key.cache == CacheState::network ? std::string(name_of(settings().rows)) : "";
    }

    enum class Known { no, yes, given_up, unsupported };
    Known known(const RowKey& key) const {
        const std::optional<Row> row = table_.find(key);
        if (!row) return Known::no;
        if (row->status == RowStatus::failed) return request_.retry_failed ? Known::no : Known::given_up;
        if (row->outpaced(fastest_pace_us_)) return Known::no;
        if (row->status == RowStatus::noisy && row->measured_at <= request_.noisy_until) return Known::no;
        if (has_latency(row->status) && !same_method(row->timed_by, method_of(key))) return Known::no;
        return row->status == RowStatus::unsupported ? Known::unsupported : Known::yes;
    }
    void count(const RowKey& key, Known known) {
        if (known == Known::given_up) given_up_.push_back(key);
        if (known == Known::yes || known == Known::unsupported) ++summary_.reused;
    }
    // Another network may have measured a layer that one network failed with.
    int still_failed() const {
        return static_cast<int>(std::count_if(given_up_.begin(), given_up_.end(), [this](const RowKey& key) {
            return known(key) == Known::given_up;
        }));
    }

    // ---- The network state ----

    void run_carriers() {
        std::vector<std::size_t> needed;
        std::vector<Network> networks;
        std::set<RowKey> counted;
        for (const ModelSpec& model : request_.carriers) networks.push_back(lower(model));
        for (std::size_t i = 0; i < networks.size(); ++i) {
            std::set<Known> layers;
            for (const NetworkNode& node : networks[i].nodes) {
                const RowKey key = row_key(node.layer, networks[i], settings(), CacheState::network);
                const Known layer = known(key);
                layers.insert(layer);
                if (counted.insert(key).second) count(key, layer);
            }
            const bool again = request_.run_all && !layers.contains(Known::given_up);
            if (layers.contains(Known::unsupported)) continue;  // it cannot run
            if (layers.contains(Known::no) || again) needed.push_back(i);
        }
        std::size_t next = 0;
        while (next < needed.size() && events_.keep_going()) {
            const std::vector<std::size_t> group = take_group(needed, next, networks);
            events_.progress(static_cast<double>(next - group.size()), static_cast<double>(needed.size()),
                             request_.carriers[group.front()].name);
            run_group(group, networks);
        }
        events_.progress(static_cast<double>(next), static_cast<double>(needed.size()), "done");
    }

    std::vector<std::size_t> take_group(const std::vector<std::size_t>& needed, std::size_t& next,
                                        const std::vector<Network>& networks) const {
        std::vector<std::size_t> group;
        std::int64_t bytes = 0;
        while (next < needed.size() && group.size() < most_in_group) {
            // Winograd kernels pack weights up to four times larger, and the plain weights are there too.
            bytes += 4 * pass_footprint(networks[needed[next]], settings().batch, settings().type);
            if (!group.empty() && bytes > most_group_bytes) break;
            group.push_back(needed[next++]);
        }
        return group;
    }

    void run_group(const std::vector<std::size_t>& group, const std::vector<Network>& networks) {
        std::vector<Network> members;
        for (const std::size_t index : group) members.push_back(networks[index]);
        const WorkEvents quiet{events_.keep_going, [](double, double, const std::string&) {}};
        std::vector<NetworkMeasurement> measurements;
        detail::PendingRows rows(table_);
        std::vector<std::size_t> alone;  // to be tried by themselves
        try {
            measurements = measure_networks(device_, members, settings(), quiet);
            const bool interrupted = !events_.keep_going();
            for (std::size_t i = 0; i < group.size(); ++i) {
                const NetworkMeasurement& measured = measurements[i];
                const std::string& name = request_.carriers[group[i]].name;
                // Interrupted before or in its turn: what there is is too little to keep, and would not be
                // measured again.
                if (!measured.measured() && measured.reason.empty()) continue;
                if (interrupted && measured.measured() && !measured.timing.converged) continue;
                if (!measured.measured() && !add_unsupported(members[i], measured, name, rows)) {
                    // There may be too little memory for all of the group.
                    if (group.size() > 1) {
                        alone.push_back(group[i]);
                        continue;
                    }
                    add_failed(members[i], name, measured.reason, rows);
                }
                summary_.carriers.push_back({group[i], name, measured.timing.total, measured.measured(),
                                             measured.timing.converged, measured.timing.pace_us,
                                             measured.timing.upper});
                if (measured.measured()) {
                    if (measured.timing.clock.readings > 0) summary_.clocks.push_back(measured.timing.clock);
                    add_rows(members[i], measured, name, rows);
                }
            }
        } catch (const SubjectLost& lost) {
            add_failed(members[lost.subject()], request_.carriers[group[lost.subject()]].name, lost.what(),
                       rows);
            rows.commit(summary_);
            throw;
        } catch (const DeviceLost&) {
            rows.commit(summary_);
            throw;
        }
        rows.commit(summary_);
        for (const std::size_t index : alone) {
            if (events_.keep_going()) run_group({index}, networks);
        }
    }

    using Places = std::map<RowKey, std::vector<std::size_t>>;
    Places places_of(const Network& network) const {
        Places places;
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            places[row_key(network.nodes[i].layer, network, settings(), CacheState::network)].push_back(i);
        }
        return places;
    }

    // Of a network that the device does not support: the layers that cannot be compiled alone. Whether any of
    // them is unsupported; else they are not to blame, and nothing is added. What may pass (no memory, a failure)
    // is no layer's fault.
    bool add_unsupported(const Network& network, const NetworkMeasurement& measured,
                         const std::string& carrier, detail::PendingRows& rows) {
        if (measured.why_no_runner != NoRunner::unsupported) return false;
        const CompileOptions options{settings().batch, settings().type,
                                     pass_footprint(network, settings().batch, settings().type)};
        std::vector<Row> without;
        for (const auto& place : places_of(network)) {
            const RowKey& key = place.first;
            const std::optional<Row> there = rows.find(key);
            if (there && has_latency(there->status)) continue;
            Row row = detail::new_row(key, "");
            rows.losing(row, "it was compiled", [&] {
                const Compiled compiled =
                    device_.backend->compile(device_.device.id, single_layer(key.layer), options);
                if (compiled.runner) return;
                no_runner(row, compiled);
                if (row.status == RowStatus::failed) row.carrier = carrier;
                without.push_back(row);
            });
        }
        const bool any = std::any_of(without.begin(), without.end(),
                                     [](const Row& row) { return row.status == RowStatus::unsupported; });
        if (!any) return false;
        for (Row& row : without) rows.put(std::move(row));
        return true;
    }

    // The network has no measurement: its layers that have no row yet, or one that failed, are failed.
    void add_failed(const Network& network, const std::string& carrier, const std::string& reason,
                    detail::PendingRows& rows) {
        for (const auto& [key, nodes] : places_of(network)) {
            const std::optional<Row> there = rows.find(key);
            if (there && there->status != RowStatus::failed) continue;
            Row row = detail::new_row(key, carrier);
            fail(row, fmt::format("{} could not be measured: {}", carrier, reason));
            rows.put(std::move(row));
        }
    }

    // Unites the network's rows with those of its group in `rows`, and with the table's.
    void add_rows(const Network& network, const NetworkMeasurement& measured, const std::string& carrier,
                  detail::PendingRows& rows) {
        for (const auto& [key, nodes] : places_of(network)) {
            const std::optional<Row> there = rows.find(key);
            // The layer took the device with it when it ran alone: it has no carrier then.
            if (there && there->carrier.empty() && known(key) == Known::given_up) continue;
            Row row = detail::new_row(key, carrier);
            fill(row, nodes, measured);
            rows.losing(row, "its output was checked",
                        [&] { check_(row, pass_footprint(network, settings().batch, settings().type)); });
            if (there && has_latency(there->status)) {
                if (!has_latency(row.status)) continue;
                row = united(*there, row);
            }
            rows.put(std::move(row));
        }
    }

    std::string unfinished(const NetworkTiming& timing) const {
        const double half_width = timing.total.relative_half_width();
        if (std::isfinite(half_width) && half_width > settings().rules.target_half_width) {
            return fmt::format("its network's interval was still +-{:.1f} % when the time was up",
                               100.0 * half_width);
        }
        return fmt::format("only {} passes of its network counted when the time was up", timing.samples);
    }

    // A layer that stands at several places of its network: the mean over the places, so that the sum stays
    // right.
    void fill(Row& row, const std::vector<std::size_t>& nodes, const NetworkMeasurement& measured) const {
        const auto count = static_cast<double>(nodes.size());
        for (const std::size_t node : nodes) {
            row.latency_us += measured.timing.nodes[node].mean / count;
            row.ci95_us += measured.timing.nodes[node].half_width / count;
        }
        if (!std::isfinite(row.ci95_us)) row.ci95_us = row.latency_us;
        row.samples = measured.timing.layer_samples * static_cast<std::int64_t>(nodes.size());
        row.pace_us = measured.timing.pace_us;
        row.timed_by = method_of(row.key);
        if (settings().rows == RowMethod::stopwatch && measured.timing.clock.readings > 0) {
            row.overhead_us = measured.timing.clock.layer_us;
        }
        row.implementation = measured.implementations[nodes.front()];
        double pass_us = 0.0;
        for (const MeanEstimate& node : measured.timing.nodes) pass_us += node.mean;
        const double target = settings().rules.target_half_width;
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
        if (measured.readings.empty()) return;
        std::vector<const LayerReadings*> readings;
        for (const std::size_t node : nodes) readings.push_back(&measured.readings[node]);
        row.readings = row_readings(readings, measured.state);
        if (measured.energy_mj) {
            row.readings.energy_mj = *measured.energy_mj * row.latency_us / pass_us;
        } else {
            row.readings.reasons["energy_mj"] = measured.energy_reason;
        }
    }

    // ---- Warm and cold ----

    void run_alone(CacheState cache) {
        std::vector<LayerSpec> wanted;
        std::set<LayerSpec> seen;
        for (const ModelSpec& model : request_.carriers) {
            for (const NetworkNode& node : lower(model).nodes) {
                if (!seen.insert(node.layer).second) continue;
                const RowKey key = row_key(node.layer, {}, settings(), cache);
                const Known layer = known(key);
                count(key, layer);
                if (layer == Known::no) wanted.push_back(node.layer);
            }
        }
        for (std::size_t begin = 0; begin < wanted.size() && events_.keep_going();
             begin += most_layers_in_group) {
            events_.progress(static_cast<double>(begin), static_cast<double>(wanted.size()),
                             std::string(name_of(cache)));
            const std::size_t end = std::min(begin + most_layers_in_group, wanted.size());
            run_layers({wanted.begin() + begin, wanted.begin() + end}, cache);
        }
    }

    void run_layers(const std::vector<LayerSpec>& layers, CacheState cache) {
        detail::PendingRows rows(table_);
        try {
            detail::measure_alone(device_, layers, cache, settings(), events_, check_, rows);
        } catch (const DeviceLost&) {
            rows.commit(summary_);
            throw;
        }
        rows.commit(summary_);
    }

    const DeviceHandle& device_;
    Table& table_;
    const ProfileRequest& request_;
    const WorkEvents& events_;
    std::optional<double> fastest_pace_us_;  // of the table's rows, as the work begins
    ProfileSummary summary_;
    std::vector<RowKey> given_up_;
    detail::OutputCheck check_;
};

}  // namespace

ProfileSummary profile(const DeviceHandle& device, Table& table, const ProfileRequest& request,
                       const WorkEvents& events) {
    return Profiling(device, table, request, events).run();
}

std::optional<double> expect_pace_of(const Table& table, const DeviceHandle& device,
                                     const MeasureSettings& settings) {
    const std::optional<double> pace_us = table.fastest_pace_us(settings.type);
    PaceHistory& history = (*settings.paces)[{device.device.id, settings.type}];
    if (pace_us) history.expect(*pace_us);
    return pace_us;
}

RowKey row_key(const LayerSpec& layer, const Network& network, const MeasureSettings& settings,
               CacheState cache) {
    RowKey key{layer, settings.batch, settings.type, cache, 0};
    if (cache == CacheState::network) {
        key.footprint_bytes = footprint_bucket(pass_footprint(network, settings.batch, settings.type));
    }
    return key;
}

NetworkEstimate predict(const Table& table, const Network& network, const MeasureSettings& settings,
                        CacheState cache) {
    const std::int64_t footprint = footprint_bucket(pass_footprint(network, settings.batch, settings.type));
    const TableLatencySource source(table, settings.batch, settings.type, cache, footprint);
    return estimate(network, source);
}

}  // namespace hacscale
