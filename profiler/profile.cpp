#include "profiler/profile.hpp"

#include <algorithm>

#include "profiler/detail/pending_rows.hpp"
#include "profiler/row_values.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

// Networks timed together: enough for interleaving to mean something, few enough that little is lost by an
// interruption.
constexpr std::size_t max_in_group = 8;
constexpr std::int64_t max_group_bytes = std::int64_t{3} << 30;
constexpr std::size_t max_layers_in_group = 64;
class Profiling {
public:
    Profiling(const DeviceHandle& device, Table& table, const ProfileRequest& request,
              const WorkEvents& events)
        : device_(device),
          table_(table),
          request_(request),
          events_(events),
          fastest_reference_us_(table.fastest_reference_us(request.settings.type)),
          check_(device, request.settings, request.check_outputs) {
        if (fastest_reference_us_) expect_speed(device, request.settings, *fastest_reference_us_);
    }

    ProfileSummary run() {
        const std::int64_t dropped_before = dropped_records();
        if (request_.caches.contains(CacheState::network)) run_host_networks();
        for (const CacheState cache : {CacheState::warm, CacheState::cold}) {
            if (request_.caches.contains(cache)) run_isolated(cache);
        }
        summary_.interrupted = !events_.keep_going();
        summary_.given_up = still_failed();
        summary_.dropped_records = dropped_records() - dropped_before;
        return summary_;
    }

private:
    const MeasureSettings& settings() const { return request_.settings; }
    const std::vector<Network>& networks() const { return request_.host_networks; }
    Instruments* instruments() const { return settings().instruments; }
    std::int64_t dropped_records() const {
        return instruments() != nullptr ? instruments()->dropped_records() : 0;
    }

    // A row of later than now was measured before the machine's clock was set back.
    bool is_of_before(const std::string& measured_at) const {
        if (request_.noisy_until.empty()) return false;
        return measured_at <= request_.noisy_until || measured_at > detail::measured_now();
    }

    enum class Known { no, yes, given_up, unsupported };
    Known known(const RowKey& key) const {
        const std::optional<Row> row = table_.find(key);
        if (!row) return Known::no;
        if (row->status == RowStatus::failed) return request_.retry_failed ? Known::no : Known::given_up;
        if (row->machine_was_slower(fastest_reference_us_)) return Known::no;
        if (row->status == RowStatus::noisy && is_of_before(row->measured_at)) return Known::no;
        const bool same = same_method(row->timed_by, method_of(key, settings()));
        if (has_latency(row->status) && !same) return Known::no;
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

    void run_host_networks() {
        std::vector<std::size_t> needed;
        std::set<RowKey> counted;
        for (std::size_t i = 0; i < networks().size(); ++i) {
            const Graph& network = networks()[i].graph;
            std::set<Known> layers;
            for (const Node& node : network.nodes) {
                const RowKey key = row_key(node.layer, network, settings(), CacheState::network);
                const Known layer = known(key);
                layers.insert(layer);
                if (counted.insert(key).second) count(key, layer);
            }
            const bool whole = !layers.contains(Known::unsupported);
            const bool again = request_.run_all && whole && !layers.contains(Known::given_up);
            if (layers.contains(Known::no) || again) needed.push_back(i);
        }
        std::size_t next = 0;
        while (next < needed.size() && events_.keep_going()) {
            const std::vector<std::size_t> group = take_group(needed, next);
            events_.progress(static_cast<double>(next - group.size()), static_cast<double>(needed.size()),
                             networks()[group.front()].name);
            run_group(group);
        }
        events_.progress(static_cast<double>(next), static_cast<double>(needed.size()), "done");
    }

    std::vector<std::size_t> take_group(const std::vector<std::size_t>& needed, std::size_t& next) const {
        std::vector<std::size_t> group;
        std::int64_t bytes = 0;
        while (next < needed.size() && group.size() < max_in_group) {
            // Winograd kernels pack weights up to four times larger, and the plain weights are there too.
            bytes += 4 * pass_footprint(networks()[needed[next]].graph, settings().batch, settings().type);
            if (!group.empty() && bytes > max_group_bytes) break;
            group.push_back(needed[next++]);
        }
        return group;
    }

    void run_group(const std::vector<std::size_t>& group) {
        std::vector<Network> parts;
        parts.reserve(group.size());
        std::vector<const Network*> members;
        for (const std::size_t index : group) {
            const std::vector<bool> dropped = unsupported_layers(networks()[index].graph);
            const bool whole = std::find(dropped.begin(), dropped.end(), true) == dropped.end();
            if (!whole) parts.push_back(without(networks()[index], dropped));
            members.push_back(whole ? &networks()[index] : &parts.back());
        }
        const auto host_of = [&](std::size_t i) {
            const Network& whole = networks()[group[i]];
            return detail::HostGraphs{whole.name, members[i]->graph, whole.graph};
        };
        const WorkEvents quiet{events_.keep_going, [](double, double, const std::string&) {}};
        std::vector<NetworkMeasurement> measurements;
        detail::PendingRows pending(table_);
        detail::NetworkRows rows(device_, settings(), check_, pending);
        std::vector<std::size_t> alone;  // to be tried by themselves
        const auto given_up = [this](const RowKey& key) { return known(key) == Known::given_up; };
        try {
            measurements = measure_networks(device_, members, settings(), quiet);
            const bool interrupted = !events_.keep_going();
            for (std::size_t i = 0; i < group.size(); ++i) {
                const NetworkMeasurement& measured = measurements[i];
                const detail::HostGraphs host = host_of(i);
                const bool whole = &host.timed == &host.whole;
                // Interrupted before or in its turn: what there is is too little to keep, and would not be
                // measured again.
                if (!measured.measured() && measured.reason.empty()) continue;
                if (interrupted && measured.measured() && !measured.timing.converged) continue;
                if (!measured.measured() && rows.add_unsupported(host, measured)) {
                    alone.push_back(group[i]);  // what is left of it
                } else if (!measured.measured()) {
                    // There may be too little memory for all of the group.
                    if (group.size() > 1) {
                        alone.push_back(group[i]);
                        continue;
                    }
                    rows.add_failed(host, measured.reason);
                }
                if (measured.measured()) {
                    if (measured.timing.clock.readings > 0) summary_.clocks.push_back(measured.timing.clock);
                    rows.add(host, measured, given_up);
                }
                if (!whole) {
                    if (measured.measured()) note_part(host);
                    continue;
                }
                summary_.host_networks.push_back({group[i], host.name, measured.timing.total,
                                                  measured.measured(), measured.timing.converged,
                                                  measured.timing.reference_us, measured.timing.upper,
                                                  measured.timing.profiled_us});
            }
        } catch (const DeviceLostInTurn& lost) {
            rows.add_failed(host_of(lost.index()), lost.what());
            commit(pending);
            throw;
        } catch (const DeviceLost&) {
            commit(pending);
            throw;
        }
        commit(pending);
        for (const std::size_t index : alone) {
            if (events_.keep_going() && has_supported_layer(networks()[index].graph)) run_group({index});
        }
    }

    // ---- What is left of networks that cannot run ----

    std::vector<bool> unsupported_layers(const Graph& network) const {
        std::vector<bool> unsupported;
        for (const Node& node : network.nodes) {
            const RowKey key = row_key(node.layer, network, settings(), CacheState::network);
            unsupported.push_back(known(key) == Known::unsupported);
        }
        return unsupported;
    }
    bool has_supported_layer(const Graph& network) const {
        const std::vector<bool> unsupported = unsupported_layers(network);
        return std::find(unsupported.begin(), unsupported.end(), false) != unsupported.end();
    }

    void note_part(const detail::HostGraphs& host) {
        const std::vector<bool> dropped = unsupported_layers(host.whole);
        const auto first = std::find(dropped.begin(), dropped.end(), true) - dropped.begin();
        summary_.parts.push_back({host.name, host.whole.nodes.size() - host.timed.nodes.size(),
                                  host.whole.nodes.size(),
                                  host.whole.nodes[static_cast<std::size_t>(first)].layer.key()});
    }

    void commit(const detail::PendingRows& rows) {
        const detail::CommittedRows committed = rows.commit();
        summary_.measured += committed.written;
        summary_.noisy += committed.noisy;
        summary_.failed += committed.failed;
    }

    // ---- Warm and cold ----

    void run_isolated(CacheState cache) {
        std::vector<LayerSpec> wanted;
        std::set<LayerSpec> seen;
        for (const Network& network : networks()) {
            for (const Node& node : network.graph.nodes) {
                if (!seen.insert(node.layer).second) continue;
                const RowKey key = row_key(node.layer, {}, settings(), cache);
                const Known layer = known(key);
                count(key, layer);
                if (layer == Known::no) wanted.push_back(node.layer);
            }
        }
        for (std::size_t begin = 0; begin < wanted.size() && events_.keep_going();
             begin += max_layers_in_group) {
            events_.progress(static_cast<double>(begin), static_cast<double>(wanted.size()),
                             std::string(name_of(cache)));
            const std::size_t end = std::min(begin + max_layers_in_group, wanted.size());
            run_layers({wanted.begin() + begin, wanted.begin() + end}, cache);
        }
    }

    void run_layers(const std::vector<LayerSpec>& layers, CacheState cache) {
        detail::PendingRows rows(table_);
        try {
            detail::measure_isolated(device_, layers, cache, settings(), events_, check_, rows);
        } catch (const DeviceLost&) {
            commit(rows);
            throw;
        }
        commit(rows);
    }

    const DeviceHandle& device_;
    Table& table_;
    const ProfileRequest& request_;
    const WorkEvents& events_;
    std::optional<double> fastest_reference_us_;  // of the table's rows, as the work begins
    ProfileSummary summary_;
    std::vector<RowKey> given_up_;
    detail::OutputCheck check_;
};

}  // namespace

ProfileSummary profile(const DeviceHandle& device, Table& table, const ProfileRequest& request,
                       const WorkEvents& events) {
    return Profiling(device, table, request, events).run();
}

void ProfileSummary::add_rows(const ProfileSummary& part) {
    measured += part.measured;
    reused += part.reused;
    noisy += part.noisy;
    failed += part.failed;
    given_up += part.given_up;
    dropped_records += part.dropped_records;
    clocks.insert(clocks.end(), part.clocks.begin(), part.clocks.end());
}

NetworkEstimate predict(const Table& table, const Graph& network, const MeasureSettings& settings,
                        CacheState cache) {
    const std::int64_t footprint = footprint_bucket(pass_footprint(network, settings.batch, settings.type));
    const TableLatencySource source(table, settings.batch, settings.type, cache, footprint);
    return estimate(network, source);
}

}  // namespace hacscale
