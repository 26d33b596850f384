#include "harness/measure/profile_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/nominal_ceilings.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/table_view.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/peak.hpp"
#include "profiler/sweep/nearby_widths.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

void add(ProfileSummary& sum, const ProfileSummary& part) {
    sum.add_rows(part);
    sum.parts.insert(sum.parts.end(), part.parts.begin(), part.parts.end());
    sum.interrupted = sum.interrupted || part.interrupted;
}

// What the rounds that measured the rows say of the whole networks.
std::vector<records::VerifiedModel> verified_in_place(const Table& table, const ProfileRequest& request,
                                                      const ProfileSummary& summary) {
    std::map<std::string, const HostNetworkResult*> results;
    const std::optional<double> fastest_reference_us = table.fastest_reference_us(request.settings.type);
    for (const HostNetworkResult& result : summary.host_networks) {
        // Of a slow machine, where the table has rows of a fast one, it would tell of the machine.
        if (result.measured && !machine_was_slower(result.reference_us, fastest_reference_us)) {
            results[result.model] = &result;
        }
    }
    std::vector<records::VerifiedModel> records;
    const MeasureSettings& settings = request.settings;
    for (const Network& network : request.host_networks) {
        const auto found = results.find(network.name);
        if (found == results.end()) {
            continue;
        }
        const MedianEstimate& total = found->second->total;
        for (const CacheState cache : request.caches) {
            const NetworkEstimate predicted = predict(table, network.graph, settings, cache);
            if (predicted.missing_layers == 0) {
                records.push_back(
                    {{network.name, network_hash(network), settings.batch, settings.type, cache,
                      predicted.latency_us, total.median, total.half_width, records::timestamp()},
                     "zoo",
                     found->second->upper,
                     found->second->profiled_us});
            }
        }
    }
    return records;
}

RowFilter network_rows(const MeasureSettings& settings) {
    return filter_of({settings.batch, settings.type, CacheState::network});
}

int noisy_rows(const Table& table, const MeasureSettings& settings) {
    RowFilter filter = network_rows(settings);
    filter.status = RowStatus::noisy;
    int rows = 0;
    table.for_each(filter, [&rows](const Row&) { ++rows; });
    return rows;
}

SweepSpace sweep_space(const ModelSpec& base, const SpaceSettings& settings) {
    const ScalingSpace space = make_space(base, settings);
    SweepSpace sweep;
    for (const StageSpace& stage : space.stages) {
        sweep.widths.push_back(stage.widths);
        sweep.max_depths.push_back(stage.depths.back());
    }
    sweep.resolutions = space.resolutions;
    if (space.inner.is_open()) {
        sweep.inner_options = [inner = space.inner](std::size_t stage, int block, int width_before,
                                                    int width) {
            return inner.options(stage, block, width_before, width);
        };
    }
    return sweep;
}

class ModelProfiling {
public:
    ModelProfiling(const DeviceHandle& device, Table& table, ProfileJob plan, Events& events)
        : device_(device),
          table_(table),
          plan_(std::move(plan)),
          events_(events),
          progress_(events),
          work_(progress_.work_events()),
          in_time_{[this] { return work_.keep_going() && plan_.left_s() > 0.0; }, work_.progress} {}

    ProfileOutcome run() {
        peak();
        own_layers();
        nearby_widths();
        graph_widths();
        for (std::size_t i = 0; i < plan_.swept.size() && !events_.stop_requested(); ++i) {
            other_widths(i);
        }
        outpaced_again();
        check_peak();
        outcome_.rows.interrupted = events_.stop_requested();
        warn_of_rows();
        return std::move(outcome_);
    }

private:
    // With what the GPU's data sheet promises beside it; of CPUs nothing is known.
    PeakRecord measured_peak() const {
        PeakRecord peak = measure_peak(device_, plan_.measure, work_);
        const records::Json properties = records::Json::parse(device_.device.properties, nullptr, false);
        const auto text_in = [&](std::string_view name) {
            const auto found = properties.find(std::string(name));
            if (found == properties.end()) {
                return std::string();
            }
            return found->is_string() ? found->get<std::string>() : found->dump();
        };
        const NominalCeilings nominal = nominal_ceilings(text_in, name_of(plan_.measure.type));
        peak.nominal_flops_per_s = nominal.flops_per_s;
        peak.nominal_bytes_per_s = nominal.bytes_per_s;
        return peak;
    }

    void peak() {
        if (table_.peak(plan_.measure.type)) {
            return;
        }
        events_.note(
            fmt::format("measuring the peak of {} in {}", device_.device.id, name_of(plan_.measure.type)));
        const PeakRecord peak = measured_peak();
        if (!events_.stop_requested()) {
            table_.put(peak);
        }
    }

    // Where a row does more FLOPs a second than the peak, the peak was measured at a bad moment.
    void check_peak() {
        const DataType type = plan_.measure.type;
        std::optional<double> greatest = greatest_utilization(table_, type);
        if (!greatest || *greatest <= largest_utilization || events_.stop_requested()) {
            return;
        }
        events_.note(fmt::format("measuring the peak of {} in {} again: a row reaches {:.0f} % of it",
                                 device_.device.id, name_of(type), 100.0 * *greatest));
        const PeakRecord again = measured_peak();
        if (events_.stop_requested()) {
            return;
        }
        table_.put(better_of(*table_.peak(type), again));
        greatest = greatest_utilization(table_, type);
        if (*greatest > largest_utilization) {
            events_.warn(fmt::format(
                "a row reaches {:.0f} % of the peak, which was measured twice: utilizations are too high by "
                "as much; the same command on a quiet machine measures the peak again",
                100.0 * *greatest));
        }
    }

    void own_layers() {
        ProfileRequest request{{}, plan_.measure, plan_.caches};
        request.retry_failed = plan_.retry_failed;
        request.noisy_until = plan_.noisy_until;
        const std::size_t networks = plan_.swept.size() + plan_.own_layers.size();
        request.settings.rules = within(request.settings.rules, own_share() * plan_.left_s(), networks);
        for (const ModelSpec& model : plan_.swept) {
            request.host_networks.push_back(suited(network_of(model)));
        }
        for (Network& network : plan_.own_layers) {
            request.host_networks.push_back(suited(std::move(network)));
            if (plan_.graph_widths) {
                const Network& whole = request.host_networks.back();
                graphs_.push_back({.name = whole.name, .graph = whole.graph});
            }
            if (plan_.nearby_widths > 0) {
                nearby_.push_back(
                    nearby_networks(request.host_networks.back(), plan_.nearby_widths, plan_.nearby_grid));
            }
        }
        plan_.own_layers.clear();
        events_.note(fmt::format("measuring the layers of {} networks", request.host_networks.size()));
        const ProfileSummary measured = profile(device_, table_, request, in_time_);
        add(outcome_.rows, measured);
        verify_in_place(request, measured);
        for (const HostNetworkResult& result : measured.host_networks) {
            own_.push_back({std::move(request.host_networks[result.host_network]), result.reference_us});
        }
    }

    void nearby_widths() {
        for (std::size_t i = 0; i < nearby_.size() && !events_.stop_requested(); ++i) {
            if (nearby_[i].empty()) {
                continue;
            }
            const std::string name = nearby_[i].front().name;
            const double share_s =
                plan_.left_s() / static_cast<double>(nearby_.size() - i + plan_.swept.size());
            const double seconds = std::min(plan_.sweep.max_seconds, share_s);
            events_.note(fmt::format("measuring {} at nearby widths, in {} networks, for at most {:.0f} s",
                                     name, nearby_[i].size(), seconds));
            ProfileRequest request{
                std::move(nearby_[i]), without_energy(plan_.measure), {CacheState::network}};
            request.retry_failed = plan_.retry_failed;
            request.noisy_until = plan_.noisy_until;
            request.settings.rules = within(request.settings.rules, seconds, request.host_networks.size());
            const WorkEvents in_share{[this, until_us = device_.backend->clock_us() + 1e6 * seconds] {
                                          return in_time_.keep_going() &&
                                                 device_.backend->clock_us() < until_us;
                                      },
                                      work_.progress};
            ProfileSummary measured = profile(device_, table_, request, in_share);
            const bool out_of_time = measured.interrupted && !events_.stop_requested();
            measured.interrupted = events_.stop_requested();
            add(outcome_.rows, measured);
            for (const HostNetworkResult& result : measured.host_networks) {
                others_.push_back(
                    {std::move(request.host_networks[result.host_network]), result.reference_us});
            }
            if (out_of_time) {
                events_.warn(fmt::format(
                    "{}: the time was up before all nearby widths were measured; the same command goes on",
                    name));
            }
        }
    }

    // Weights are large, so networks are moved from step to step.
    Network suited(Network network) const {
        return for_device(std::move(network), device_, plan_.measure.batch, plan_.measure.type);
    }
    ModelSpec suited(ModelSpec model) const {
        model.layout =
            device_.backend->preferred_layout(lower(model), {plan_.measure.batch, plan_.measure.type});
        return model;
    }
    // Of the time that is left, for networks as they are. Compiling them comes on top.
    double own_share() const { return plan_.swept.empty() ? 0.8 : 0.3; }

    void verify_in_place(const ProfileRequest& request, const ProfileSummary& measured) {
        for (const records::VerifiedModel& one : verified_in_place(table_, request, measured)) {
            std::erase_if(outcome_.verified, [&one](const records::VerifiedModel& earlier) {
                return earlier.record.model == one.record.model && earlier.record.cache == one.record.cache;
            });
            outcome_.verified.push_back(one);
            table_.put(one.record);
        }
    }

    void graph_widths() {
        for (std::size_t i = 0; i < graphs_.size() && !events_.stop_requested(); ++i) {
            const SweepSettings settings =
                sweep_settings(graphs_[i].name, graphs_.size() - i + plan_.swept.size());
            swept(graphs_[i].name, settings,
                  sweep(device_, table_, graphs_[i], *plan_.graph_widths, plan_.measure, settings, work_));
        }
    }

    void other_widths(std::size_t place) {
        const ModelSpec& model = plan_.swept[place];
        const SweepSettings settings = sweep_settings(model.name, plan_.swept.size() - place);
        swept(model.name, settings,
              sweep(device_, table_, suited(model), sweep_space(model, plan_.spaces[place]), plan_.measure,
                    settings, work_));
    }

    // Of a network that has its share of the time, beside so many others that are left, itself included.
    SweepSettings sweep_settings(const std::string& network, std::size_t left) {
        SweepSettings settings = plan_.sweep;
        settings.retry_failed = plan_.retry_failed;
        settings.noisy_until = plan_.noisy_until;
        settings.max_seconds = std::min(settings.max_seconds, plan_.left_s() / static_cast<double>(left));
        events_.note(
            fmt::format("measuring {} at other widths, for at most {:.0f} s", network, settings.max_seconds));
        return settings;
    }

    void swept(const std::string& network, const SweepSettings& settings, SweepSummary swept) {
        add(outcome_.rows, swept.profile);
        if (swept.out_of_time && !events_.stop_requested()) {
            events_.warn(fmt::format(
                "{}: the time was up before all widths were looked at; the rest is interpolated", network));
        } else if (!swept.complete && !events_.stop_requested()) {
            events_.warn(fmt::format(
                "{}: of the networks drawn last, not seen before, the worst is predicted {:.1f} % off, more "
                "than the tolerance of {:.1f} %",
                network, 100.0 * swept.worst_network_error(), 100.0 * settings.tolerance));
        }
        outcome_.swept.push_back({network, std::move(swept)});
    }

    // What was run while the machine was slower than later is run once more: as long as it is fast now, and a
    // few networks at the least.
    void outpaced_again() {
        if (!plan_.caches.contains(CacheState::network)) {
            return;
        }
        std::vector<HostNetwork> scaled = std::move(others_);
        for (const SweptModel& swept : outcome_.swept) {
            scaled.insert(scaled.end(), swept.summary.host_networks.begin(),
                          swept.summary.host_networks.end());
        }
        history().waited_in_vain = false;
        const ProfileRequest own = slower_machine_networks(std::move(own_), plan_.measure);
        verify_in_place(own, run_while_fast(own));
        run_while_fast(slower_machine_networks(std::move(scaled), without_energy(plan_.measure)));
    }

    ProfileRequest slower_machine_networks(std::vector<HostNetwork> host_networks,
                                           const MeasureSettings& settings) const {
        ProfileRequest request{{}, settings, {CacheState::network}};
        request.retry_failed = false;
        const std::optional<double> fastest_us = table_.fastest_reference_us(settings.type);
        for (HostNetwork& host_network : host_networks) {
            if (machine_was_slower(host_network.reference_us, fastest_us)) {
                request.host_networks.push_back(std::move(host_network.network));
            }
        }
        return request;
    }

    ProfileSummary run_while_fast(const ProfileRequest& request) {
        const WorkEvents while_fast{[&] { return in_time_.keep_going() && !history().waited_in_vain; },
                                    work_.progress};
        if (request.host_networks.empty() || !while_fast.keep_going()) {
            return {};
        }
        events_.note(
            fmt::format("measuring {} networks again that were measured while the machine was slower",
                        request.host_networks.size()));
        const int noisy_before = noisy_rows(table_, request.settings);
        ProfileSummary measured = profile(device_, table_, request, while_fast);
        outcome_.rows.noisy += noisy_rows(table_, request.settings) - noisy_before;
        return measured;
    }

    SpeedHistory& history() const { return (*plan_.measure.speeds)[{device_.device.id, plan_.measure.type}]; }

    void warn_of_rows() const {
        if (outcome_.rows.dropped_records > 0) {
            events_.warn(fmt::format(
                "{} records of kernels were dropped by the tracing library, so the kernel times of some rows "
                "may be too small",
                outcome_.rows.dropped_records));
        }
        for (const PartOfNetwork& part : outcome_.rows.parts) {
            events_.warn(
                fmt::format("{}: {} does not support {} of its {} layers ({} first), so the others were "
                            "timed without them, "
                            "and the whole network has no latency",
                            part.model, device_.device.id, part.dropped, part.layers, part.first_dropped));
        }
        if (outcome_.rows.given_up > 0) {
            events_.warn(fmt::format(
                "{} rows have no value: they failed before the device was lost, or because it was; the next "
                "run of the command tries them again",
                outcome_.rows.given_up));
        }
    }

    const DeviceHandle& device_;
    Table& table_;
    ProfileJob plan_;
    Events& events_;
    Progress progress_;
    const WorkEvents work_;
    const WorkEvents in_time_;                  // as long as the plan's time lasts
    std::vector<std::vector<Network>> nearby_;  // of each network of own_layers, where they are wanted
    std::vector<Network>
        graphs_;  // the networks of own_layers, without weights, where other widths are wanted
    std::vector<HostNetwork> own_;     // the networks that were run as they are
    std::vector<HostNetwork> others_;  // the nearby ones that were run
    ProfileOutcome outcome_;
};

}  // namespace

std::optional<std::string> speed_warning(const DeviceHandle& device, const Table& table,
                                         const MeasureSettings& measured_with, const std::string& remedy) {
    const std::optional<double> fastest_us = table.fastest_reference_us(measured_with.type);
    if (!fastest_us) {
        return std::nullopt;
    }
    std::int64_t rows = 0;
    double slowest_us = 0.0;
    table.for_each(network_rows(measured_with), [&](const Row& row) {
        if (row.machine_was_slower(fastest_us)) {
            ++rows;
            slowest_us = std::max(slowest_us, *row.reference_us);
        }
    });
    if (rows > 0) {
        return fmt::format(
            "{} rows were measured while the machine was up to {:.2f} times as slow as for others, so they "
            "do not fit these; {}",
            rows, slowest_us / *fastest_us, remedy);
    }
    const auto found = measured_with.speeds->find({device.device.id, measured_with.type});
    if (found != measured_with.speeds->end() &&
        machine_was_slower(fastest_us, found->second.fastest_measured_us)) {
        return fmt::format(
            "the machine became {:.2f} times as fast after the rows were measured, so they do not fit what "
            "came after; measured anew, into another table, both fit",
            *fastest_us / *found->second.fastest_measured_us);
    }
    return std::nullopt;
}

ProfileOutcome profile_models(const DeviceHandle& device, Table& table, ProfileJob plan, Events& events) {
    return ModelProfiling(device, table, std::move(plan), events).run();
}

}  // namespace hacscale::harness
