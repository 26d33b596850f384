#include "profiler/profile.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "kernels/single_layer.hpp"
#include "kernels/spot_check.hpp"
#include "profiler/latency_index.hpp"
#include "profiler/timing/layer_timer.hpp"

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

std::string utc_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

// One layer timed in two carriers: the mean, weighted by samples.
Row united(const Row& before, const Row& now) {
    Row row = before.status == RowStatus::ok ? before : now;
    const auto samples = static_cast<double>(before.samples + now.samples);
    const double old_share = static_cast<double>(before.samples) / samples;
    row.latency_us = old_share * before.latency_us + (1.0 - old_share) * now.latency_us;
    row.ci95_us = std::hypot(old_share * before.ci95_us, (1.0 - old_share) * now.ci95_us);
    row.samples = before.samples + now.samples;
    row.measured_at = now.measured_at;
    return row;
}

class Profiling {
public:
    Profiling(const DeviceHandle& device, Table& table, const ProfileRequest& request,
              const WorkEvents& events)
        : device_(device), table_(table), request_(request), events_(events) {}

    ProfileSummary run() {
        if (request_.caches.contains(CacheState::network)) run_carriers();
        for (const CacheState cache : {CacheState::warm, CacheState::cold}) {
            if (request_.caches.contains(cache)) run_alone(cache);
        }
        summary_.interrupted = !events_.keep_going();
        return summary_;
    }

private:
    const MeasureSettings& settings() const { return request_.settings; }

    bool in_table(const RowKey& key) const {
        const std::optional<Row> row = table_.find(key);
        return row && row->status != RowStatus::failed;
    }

    // ---- The network state ----

    void run_carriers() {
        std::vector<std::size_t> needed;
        std::vector<Network> networks;
        std::set<RowKey> known;
        for (const ModelSpec& model : request_.carriers) networks.push_back(lower(model));
        for (std::size_t i = 0; i < networks.size(); ++i) {
            bool lacking = false;
            for (const NetworkNode& node : networks[i].nodes) {
                const RowKey key = row_key(node.layer, networks[i], settings(), CacheState::network);
                if (known.contains(key)) continue;
                if (in_table(key)) {
                    known.insert(key);
                    ++summary_.reused;
                } else {
                    lacking = true;
                }
            }
            if (lacking || request_.run_all) needed.push_back(i);
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
        const auto measurements = measure_networks(device_, members, settings(), quiet);
        const bool interrupted = !events_.keep_going();
        std::map<RowKey, Row> rows;
        for (std::size_t i = 0; i < group.size(); ++i) {
            const NetworkMeasurement& measured = measurements[i];
            // Interrupted before or in its turn: what there is is too little to keep, and would not be
            // measured again.
            if (!measured.measured() && measured.reason.empty()) continue;
            if (interrupted && measured.measured() && !measured.timing.converged) continue;
            const std::string& name = request_.carriers[group[i]].name;
            summary_.carriers.push_back(
                {name, measured.timing.total, measured.measured(), measured.timing.converged});
            add_rows(members[i], measured, name, rows);
        }
        keep(rows);
    }

    // Unites the network's rows with those of its group in `rows`, and with the table's.
    void add_rows(const Network& network, const NetworkMeasurement& measured, const std::string& carrier,
                  std::map<RowKey, Row>& rows) {
        std::map<RowKey, std::vector<std::size_t>> places;
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            places[row_key(network.nodes[i].layer, network, settings(), CacheState::network)].push_back(i);
        }
        for (const auto& [key, nodes] : places) {
            Row row;
            row.key = key;
            row.carrier = carrier;
            row.measured_at = utc_now();
            if (!measured.measured()) {
                row.status = RowStatus::unsupported;
                row.reason = measured.reason;
            } else {
                fill(row, nodes, measured);
                check(row, pass_footprint(network, settings().batch, settings().type));
            }
            const auto in_group = rows.find(key);
            const std::optional<Row> known = in_group != rows.end() ? in_group->second : table_.find(key);
            if (known && has_latency(known->status)) {
                if (!has_latency(row.status)) continue;
                row = united(*known, row);
            }
            rows.insert_or_assign(key, std::move(row));
        }
    }

    // A layer that stands at several places of its network: the mean over the places, so that the sum stays
    // right.
    void fill(Row& row, const std::vector<std::size_t>& nodes, const NetworkMeasurement& measured) const {
        const auto count = static_cast<double>(nodes.size());
        for (const std::size_t node : nodes) {
            row.latency_us += measured.timing.nodes[node].mean / count;
            row.ci95_us += measured.timing.nodes[node].half_width / count;
        }
        row.samples = measured.timing.layer_samples * static_cast<std::int64_t>(nodes.size());
        row.implementation = measured.implementations[nodes.front()];
        const double limit = row_tolerance_factor * settings().rules.target_half_width;
        if (!measured.reason.empty()) {
            row.status = RowStatus::noisy;
            row.reason = measured.reason;
        } else if (!measured.timing.converged) {
            row.status = RowStatus::noisy;
            row.reason = fmt::format("its network's interval was still +-{:.1f} % when the time was up",
                                     100.0 * measured.timing.total.relative_half_width());
        } else if (row.ci95_us > limit * row.latency_us) {
            row.status = RowStatus::noisy;
            row.reason = fmt::format("its interval is +-{:.1f} %, wanted {:.1f} %",
                                     100.0 * row.ci95_us / row.latency_us, 100.0 * limit);
        }
    }

    // ---- Warm and cold ----

    void run_alone(CacheState cache) {
        std::vector<LayerSpec> wanted;
        std::set<LayerSpec> seen;
        for (const ModelSpec& model : request_.carriers) {
            for (const NetworkNode& node : lower(model).nodes) {
                if (!seen.insert(node.layer).second) continue;
                if (in_table(row_key(node.layer, {}, settings(), cache))) {
                    ++summary_.reused;
                } else {
                    wanted.push_back(node.layer);
                }
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
        std::map<RowKey, Row> rows;
        std::vector<std::unique_ptr<NetworkRunner>> runners;
        std::vector<NetworkRunner*> pointers;
        std::vector<RowKey> keys;
        const auto batch = static_cast<std::size_t>(settings().batch);
        for (const LayerSpec& layer : layers) {
            const RowKey key = row_key(layer, {}, settings(), cache);
            Row& row = rows[key];
            row.key = key;
            row.measured_at = utc_now();
            const Network network = single_layer(layer);
            Compiled compiled =
                device_.backend->compile(device_.device.id, network, {settings().batch, settings().type, 0});
            if (!compiled.runner) {
                row.status = RowStatus::unsupported;
                row.reason = compiled.reason;
                continue;
            }
            row.implementation = compiled.runner->implementation(0);
            compiled.runner->load(random_weights(network, settings().seed));
            compiled.runner->set_input(
                random_values(batch * layer.in_channels * layer.in_height * layer.in_width, 2));
            if (layer.residual) {
                compiled.runner->set_residual(
                    random_values(batch * layer.out_channels * layer.out_height() * layer.out_width(), 3));
            }
            pointers.push_back(compiled.runner.get());
            keys.push_back(key);
            runners.push_back(std::move(compiled.runner));
        }
        const auto state = cache == CacheState::warm ? AloneState::warm : AloneState::cold;
        const auto timings =
            time_layers(pointers, state, settings().rules, settings().seed, events_.keep_going);
        const bool interrupted = !events_.keep_going();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            Row& row = rows[keys[i]];
            if (timings[i].samples == 0 || (interrupted && !timings[i].converged)) {
                rows.erase(keys[i]);
                continue;
            }
            row.latency_us = timings[i].latency.median;
            row.ci95_us =
                std::isfinite(timings[i].latency.half_width) ? timings[i].latency.half_width : row.latency_us;
            row.samples = timings[i].samples;
            if (!timings[i].converged) {
                row.status = RowStatus::noisy;
                row.reason = fmt::format("its interval was still +-{:.1f} % when the time was up",
                                         100.0 * row.ci95_us / row.latency_us);
            }
            check(row, 0);
        }
        keep(rows);
    }

    // ---- Both ----

    // A kernel whose output is wrong has no latency worth keeping.
    void check(Row& row, std::int64_t footprint_bytes) {
        if (!request_.check_outputs) return;
        const auto known = checked_.find({row.key.layer, row.implementation});
        std::string fault;
        if (known != checked_.end()) {
            fault = known->second;
        } else {
            const CompileOptions options{settings().batch, settings().type, footprint_bytes};
            fault = spot_check(*device_.backend, device_.device.id, row.key.layer, options).reason;
            checked_[{row.key.layer, row.implementation}] = fault;
        }
        if (fault.empty()) return;
        row.status = RowStatus::failed;
        row.reason = fault;
        row.latency_us = row.ci95_us = 0.0;
    }

    void keep(const std::map<RowKey, Row>& rows) {
        std::vector<Row> list;
        for (const auto& [key, row] : rows) {
            list.push_back(row);
            ++summary_.measured;
            if (row.status == RowStatus::noisy) ++summary_.noisy;
            if (!has_latency(row.status)) ++summary_.failed;
        }
        if (!list.empty()) table_.put(list);
    }

    const DeviceHandle& device_;
    Table& table_;
    const ProfileRequest& request_;
    const WorkEvents& events_;
    ProfileSummary summary_;
    std::map<std::pair<LayerSpec, std::string>, std::string>
        checked_;  // (layer, kernel) to its fault, if any
};

}  // namespace

ProfileSummary profile(const DeviceHandle& device, Table& table, const ProfileRequest& request,
                       const WorkEvents& events) {
    return Profiling(device, table, request, events).run();
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
