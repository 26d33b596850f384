#include "profiler/timing/network_timer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "profiler/timing/rounds.hpp"
#include "profiler/timing/statistics.hpp"
#include "profiler/timing/visit_speed.hpp"

namespace hacscale {
namespace {

constexpr std::size_t max_kept_passes = 100'000;
// A median's interval is finite from so many samples on.
constexpr int min_sweeps_in_all = 6;
// The least that a layer is said to take: a tick of a GPU's clock for events. Medians that are closer do not tell
// the layers apart; and what a runtime computes within another layer's operation has a time in tables all the same.
constexpr double least_layer_us = 0.032;

// The medians of the earlier and of the later half of the passes may differ by this many times what the half-width of the
// median's interval may be. A machine that slows down evenly moves the median of all passes by about as much.
constexpr double max_change_of_target = 3.0;
// Of passes that count as slow over those that count as fast: more than they scatter by on a quiet machine.
constexpr double max_spread = 1.15;

// What one visit saw.
struct Visit {
    double spent_us = 0.0;
    // The machine's speed: of the readings right before and right after the visit, the slower one and the mean.
    double slower_reading_us = 0.0;
    double mean_reading_us = 0.0;
    std::vector<double> totals;
    std::vector<std::vector<double>> passes;  // each layer's time, or the network's up to it, one a sweep
    ClockCost clock;
};

// One network's samples so far.
class NetworkUnderTest {
public:
    explicit NetworkUnderTest(const TimedNetwork& network) : network_(network), node_us_(network.nodes) {}

    // `length`: against an average visit.
    void visit(const TimingRules& rules, double length) {
        const double start = network_.runner->clock_us();
        Visit& visit = visits_.emplace_back();
        // Twice: the first pass brings weights back, the second leaves the caches as a pass finds them.
        network_.runner->run();
        const double before_second = network_.runner->clock_us();
        network_.runner->run();
        const double one_pass = network_.runner->clock_us() - before_second;
        // Long enough that the passes thrown away above are the smaller part.
        const double until = network_.runner->clock_us() + length * std::max(rules.burst_us, 7.5 * one_pass);
        do {
            visit.totals.push_back(network_.runner->time_runs(1));
            if (prefixes() || profiler()) continue;
            network_.runner->run_timed(node_us_);
            keep_pass(visit);
        } while (network_.runner->clock_us() < until);
        if (prefixes()) {
            // One sweep takes as long as many passes.
            network_.runner->time_prefixes(node_us_);
            keep_pass(visit);
        } else if (profiler() && network_.layers) {
            ProfiledNodes nodes = network_.runner->profile(static_cast<int>(visit.totals.size()));
            operations_ = std::move(nodes.operations);
            for (std::vector<double>& pass : nodes.passes_us) {
                node_us_ = std::move(pass);
                keep_pass(visit);
            }
        } else if (network_.runner->clock_takes_time() && !visit.passes.empty()) {
            visit.clock = take_off_clock(visit.passes, visit.totals);
        }
        visit.spent_us = network_.runner->clock_us() - start;
        spent_us_ += visit.spent_us;
    }

    // Of the last visit.
    void set_speed(double before_us, double after_us) {
        visits_.back().slower_reading_us = std::max(before_us, after_us);
        visits_.back().mean_reading_us = 0.5 * (before_us + after_us);
        slower_readings_us_.push_back(visits_.back().slower_reading_us);
    }
    const std::vector<double>& slower_readings_us() const { return slower_readings_us_; }

    bool done(const TimingRules& rules, const CountedSpeed& speed, double patience) const {
        if (converged(rules, speed, rules.min_samples, rules.min_sweeps)) return true;
        const double max_us = rules.max_seconds * 1e6;
        if (spent_us_ > patience * max_us) return true;
        if (speed.slow()) return false;
        double spent_us = 0.0;
        for (const Visit* visit : counted(speed)) spent_us += visit->spent_us;
        return spent_us > max_us;
    }

    NetworkTiming result(const TimingRules& rules, const CountedSpeed& speed) const {
        const std::vector<double> totals = totals_of(speed);
        NetworkTiming timing;
        timing.samples = static_cast<std::int64_t>(totals.size());
        timing.upper = upper_percentiles(totals);
        timing.nodes.resize(network_.nodes);
        timing.slowdown = speed.slowdown;
        if (totals.empty()) return timing;
        timing.total = median_estimate(totals);
        // Networks of many milliseconds have few passes in their time.
        timing.converged = converged(rules, speed, std::min(rules.min_samples, rules.min_samples_in_all),
                                     std::min(rules.min_sweeps, min_sweeps_in_all));
        if (!timing.converged && timing.total.relative_half_width() <= rules.target_half_width) {
            timing.unsteady = unsteady(rules, speed);
        }
        if (prefixes()) {
            take_differences(timing, speed);
            return timing;
        }
        add_clock(timing, speed);
        const std::vector<const std::vector<double>*> middle = middle_passes(speed);
        timing.layer_samples = static_cast<std::int64_t>(middle.size());
        if (middle.empty()) return timing;
        std::vector<double> values(middle.size());
        for (std::size_t node = 0; node < network_.nodes; ++node) {
            for (std::size_t pass = 0; pass < middle.size(); ++pass) values[pass] = (*middle[pass])[node];
            timing.nodes[node] = mean_estimate(values);
        }
        if (profiler()) spread_between_operations(timing);
        return timing;
    }

    void add_readings(std::vector<double>& readings_us, const CountedSpeed& speed) const {
        for (const Visit* visit : counted(speed)) readings_us.push_back(visit->mean_reading_us);
    }

private:
    bool prefixes() const { return network_.rows == RowMethod::prefix; }
    bool profiler() const { return network_.rows == RowMethod::profiler; }

    // What no operation has is the runtime's own work, about the same for each. Where operations have more than a plain pass takes,
    // their passes were slower altogether.
    void spread_between_operations(NetworkTiming& timing) const {
        double sum_us = 0.0;
        for (const MeanEstimate& node : timing.nodes) sum_us += node.mean;
        timing.profiled_us = sum_us;
        const int operations = std::accumulate(operations_.begin(), operations_.end(), 0);
        const double missing_us = timing.total.median - sum_us;
        if (operations == 0 || sum_us <= 0.0) return;
        const double between_us = missing_us > 0.0 ? missing_us / operations : 0.0;
        const double scale = missing_us > 0.0 ? 1.0 : timing.total.median / sum_us;
        for (std::size_t node = 0; node < network_.nodes; ++node) {
            MeanEstimate& estimate = timing.nodes[node];
            estimate.mean = std::max(least_layer_us, scale * estimate.mean + operations_[node] * between_us);
            estimate.min = std::max(least_layer_us, scale * estimate.min + operations_[node] * between_us);
            estimate.half_width *= scale;
        }
    }

    void keep_pass(Visit& visit) {
        if (kept_passes_++ < max_kept_passes) visit.passes.push_back(node_us_);
    }

    std::vector<const Visit*> counted(const CountedSpeed& speed) const {
        std::vector<const Visit*> visits;
        for (const Visit& visit : visits_) {
            if (visit.slower_reading_us <= speed.max_reading_us) visits.push_back(&visit);
        }
        return visits;
    }

    std::vector<double> totals_of(const CountedSpeed& speed) const {
        std::vector<double> totals;
        for (const Visit* visit : counted(speed)) {
            totals.insert(totals.end(), visit->totals.begin(), visit->totals.end());
        }
        return totals;
    }

    bool converged(const TimingRules& rules, const CountedSpeed& speed, int min_samples,
                   int min_sweeps) const {
        if (speed.slow()) return false;
        const std::size_t visits = counted(speed).size();  // each has one sweep
        if (visits < static_cast<std::size_t>(rules.min_visits)) return false;
        if (prefixes() && visits < static_cast<std::size_t>(min_sweeps)) return false;
        const std::vector<double> totals = totals_of(speed);
        if (totals.size() < static_cast<std::size_t>(min_samples)) return false;
        return median_estimate(totals).relative_half_width() <= rules.target_half_width &&
               unsteady(rules, speed).empty();
    }

    // Why the passes that count cannot be of one speed; empty when they can.
    std::string unsteady(const TimingRules& rules, const CountedSpeed& speed) const {
        const std::vector<double> totals = totals_of(speed);
        if (totals.size() < static_cast<std::size_t>(rules.min_samples_in_all)) return {};
        const double change = change_over_time(totals);
        if (std::abs(change - 1.0) > max_change_of_target * rules.target_half_width) {
            return fmt::format("its later passes took {:.2f} times as long as its earlier ones", change);
        }
        const double widest = std::max(spread(totals), spread(pass_sums(speed)));
        if (widest > max_spread) {
            return fmt::format("three in ten of its passes took {:.2f} times as long as the fastest tenth",
                               widest);
        }
        return {};
    }

    std::vector<double> pass_sums(const CountedSpeed& speed) const {
        std::vector<double> sums;
        if (prefixes()) return sums;
        for (const Visit* visit : counted(speed)) {
            for (const auto& pass : visit->passes)
                sums.push_back(std::accumulate(pass.begin(), pass.end(), 0.0));
        }
        return sums;
    }

    // A layer's time from the sweeps: the median up to its end, minus the median up to its beginning.
    void take_differences(NetworkTiming& timing, const CountedSpeed& speed) const {
        MedianEstimate before;
        for (std::size_t node = 0; node < network_.nodes; ++node) {
            std::vector<double> until;
            for (const Visit* visit : counted(speed)) {
                for (const auto& sweep : visit->passes) until.push_back(sweep[node]);
            }
            const MedianEstimate after = median_estimate(until);
            const double difference = after.median - before.median;
            timing.nodes[node] = {std::max(difference, least_layer_us),
                                  std::hypot(after.half_width, before.half_width),
                                  std::max(after.min - before.min, least_layer_us)};
            timing.clock.clamped += difference < least_layer_us ? 1 : 0;
            timing.layer_samples = static_cast<std::int64_t>(until.size());
            before = after;
        }
        timing.clock.readings = static_cast<std::int64_t>(network_.nodes);
    }

    // What the stopwatch cost in the visits that count.
    void add_clock(NetworkTiming& timing, const CountedSpeed& speed) const {
        if (!network_.runner->clock_takes_time()) return;
        std::vector<double> layer_us;
        for (const Visit* visit : counted(speed)) {
            if (visit->clock.readings == 0) continue;
            layer_us.push_back(visit->clock.layer_us);
            timing.clock.clamped += visit->clock.clamped;
            timing.clock.readings += visit->clock.readings;
        }
        if (!layer_us.empty()) timing.clock.layer_us = quantile(layer_us, 0.5);
    }

    // The timed passes whose whole time is between the quartiles.
    std::vector<const std::vector<double>*> middle_passes(const CountedSpeed& speed) const {
        std::vector<std::pair<double, const std::vector<double>*>> sorted;
        for (const Visit* visit : counted(speed)) {
            for (const auto& pass : visit->passes) {
                double sum = 0.0;
                for (const double time : pass) sum += time;
                sorted.emplace_back(sum, &pass);
            }
        }
        if (sorted.empty()) return {};  // layers are not timed
        std::sort(sorted.begin(), sorted.end());
        const std::size_t begin = sorted.size() / 4;
        const std::size_t end = std::max(begin + 1, sorted.size() - sorted.size() / 4);
        std::vector<const std::vector<double>*> middle;
        for (std::size_t i = begin; i < end; ++i) middle.push_back(sorted[i].second);
        return middle;
    }

    TimedNetwork network_;
    std::vector<double> node_us_;
    std::vector<int> operations_;  // of the runtime, of each node
    std::vector<Visit> visits_;
    std::vector<double> slower_readings_us_;  // by visit
    std::size_t kept_passes_ = 0;
    double spent_us_ = 0.0;
};

// Rounds of all networks, with the speed of each.
class RoundsAtSpeed {
public:
    RoundsAtSpeed(const std::vector<TimedNetwork>& networks, const TimingRules& rules,
                  MachineSpeed* machine_speed)
        : networks_(networks.begin(), networks.end()),
          rules_(rules),
          speed_(machine_speed),
          patience_(machine_speed != nullptr && !machine_speed->waited_in_vain()
                        ? std::max(1.0, rules.patience)
                        : 1.0) {}

    std::vector<NetworkTiming> run(std::uint64_t seed, const std::function<bool()>& keep_going) {
        lengths_.seed(seed);
        if (speed_ != nullptr) speed_->now_in_row();
        const auto open = [this] {
            std::vector<std::size_t> still_open = open_networks();
            if (still_open.empty() && became_faster()) {
                speed_->now_in_row();
                still_open = open_networks();
            }
            return still_open;
        };
        visit_in_rounds(
            open, [this](std::size_t index) { visit(index); }, seed, keep_going);
        const CountedSpeed speed = counted_speed();
        std::vector<NetworkTiming> results;
        for (const NetworkUnderTest& network : networks_) results.push_back(network.result(rules_, speed));
        std::vector<double> readings_us;
        if (speed_ != nullptr) {
            for (const NetworkUnderTest& network : networks_) network.add_readings(readings_us, speed);
        }
        if (!readings_us.empty()) {
            const double reference_us = quantile(std::move(readings_us), 0.5);
            for (NetworkTiming& timing : results) timing.reference_us = reference_us;
        }
        return results;
    }

private:
    std::vector<std::size_t> open_networks() const {
        const CountedSpeed speed = counted_speed();
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < networks_.size(); ++i) {
            if (!networks_[i].done(rules_, speed, patience_)) open.push_back(i);
        }
        return open;
    }

    void visit(std::size_t index) {
        const double before_us = speed_ != nullptr ? speed_->last() : 0.0;
        networks_[index].visit(rules_, length_(lengths_));
        if (speed_ != nullptr) networks_[index].set_speed(before_us, speed_->now());
    }

    // The last reading alone says so: whether that was luck, more readings tell. If it was not, no visit had this speed.
    bool became_faster() const {
        return speed_ != nullptr && (1.0 + MachineSpeed::tolerance) * speed_->last() < speed_->fastest();
    }

    CountedSpeed counted_speed() const {
        if (speed_ == nullptr) return {};
        std::vector<std::vector<double>> readings_us;
        for (const NetworkUnderTest& network : networks_) readings_us.push_back(network.slower_readings_us());
        return hacscale::counted_speed(readings_us, speed_->fastest(), rules_.min_visits);
    }

    std::vector<NetworkUnderTest> networks_;
    const TimingRules& rules_;
    MachineSpeed* speed_;
    double patience_;
    // Of visits: what slows the machine down at regular intervals cannot keep step with visits, and have the readings fall between.
    std::mt19937_64 lengths_;
    std::uniform_real_distribution<double> length_{0.5, 1.5};
};

}  // namespace

std::vector<NetworkTiming> time_networks(const std::vector<TimedNetwork>& networks, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going,
                                         MachineSpeed* machine_speed) {
    return RoundsAtSpeed(networks, rules, machine_speed).run(seed, keep_going);
}

}  // namespace hacscale
