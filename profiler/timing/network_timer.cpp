#include "profiler/timing/network_timer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "profiler/timing/rounds.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale {
namespace {

constexpr std::size_t max_kept_passes = 100'000;
// A median's interval is finite from so many samples on.
constexpr int min_sweeps_in_all = 6;
// The least that a layer is said to take: a tick of a GPU's clock for events. Medians that are closer do not tell
// the layers apart; and what a runtime computes within another layer's operation has a time in tables all the same.
constexpr double least_layer_us = 0.032;

// What one visit saw.
struct Visit {
    std::size_t round = 0;
    double spent_us = 0.0;
    std::vector<double> totals;
    std::vector<std::vector<double>> passes;  // each layer's time, or the network's up to it, one a sweep
    ClockCost clock;
};

// The rounds that count, the same ones for all networks: ratios between networks hold at one speed only.
struct CountedRounds {
    std::vector<bool> counts;            // by round
    std::optional<double> reference_us;  // the median of the readings in them
    double slowdown = 1.0;               // of the machine in them, against its fastest
    bool slow() const { return slowdown > 1.0 + MachineSpeed::tolerance; }
};

// One network's samples so far.
class NetworkUnderTest {
public:
    explicit NetworkUnderTest(const TimedNetwork& network) : network_(network), node_us_(network.nodes) {}

    void visit(const TimingRules& rules, std::size_t round) {
        const double start = network_.runner->clock_us();
        Visit& visit = visits_.emplace_back();
        visit.round = round;
        // Twice: the first pass brings weights back, the second leaves the caches as a pass finds them.
        network_.runner->run();
        const double before_second = network_.runner->clock_us();
        network_.runner->run();
        const double one_pass = network_.runner->clock_us() - before_second;
        // Long enough that the passes thrown away above are the smaller part.
        const double until = network_.runner->clock_us() + std::max(rules.burst_us, 7.5 * one_pass);
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

    bool done(const TimingRules& rules, const CountedRounds& rounds, double patience) const {
        if (converged(rules, rounds, rules.min_samples, rules.min_sweeps)) return true;
        const double max_us = rules.max_seconds * 1e6;
        if (spent_us_ > patience * max_us) return true;
        if (rounds.slow()) return false;
        double spent_us = 0.0;
        for (const Visit* visit : counted(rounds)) spent_us += visit->spent_us;
        return spent_us > max_us;
    }

    NetworkTiming result(const TimingRules& rules, const CountedRounds& rounds) const {
        const std::vector<double> totals = totals_of(rounds);
        NetworkTiming timing;
        timing.samples = static_cast<std::int64_t>(totals.size());
        timing.upper = upper_percentiles(totals);
        timing.nodes.resize(network_.nodes);
        timing.reference_us = rounds.reference_us;
        timing.slowdown = rounds.slowdown;
        if (totals.empty()) return timing;
        timing.total = median_estimate(totals);
        // Networks of many milliseconds have few passes in their time.
        timing.converged = converged(rules, rounds, std::min(rules.min_samples, rules.min_samples_in_all),
                                     std::min(rules.min_sweeps, min_sweeps_in_all));
        if (prefixes()) {
            take_differences(timing, rounds);
            return timing;
        }
        add_clock(timing, rounds);
        const std::vector<const std::vector<double>*> middle = middle_passes(rounds);
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

    std::size_t visits() const { return visits_.size(); }

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

    std::vector<const Visit*> counted(const CountedRounds& rounds) const {
        std::vector<const Visit*> visits;
        for (const Visit& visit : visits_) {
            if (rounds.counts[visit.round]) visits.push_back(&visit);
        }
        return visits;
    }

    std::vector<double> totals_of(const CountedRounds& rounds) const {
        std::vector<double> totals;
        for (const Visit* visit : counted(rounds)) {
            totals.insert(totals.end(), visit->totals.begin(), visit->totals.end());
        }
        return totals;
    }

    bool converged(const TimingRules& rules, const CountedRounds& rounds, int min_samples,
                   int min_sweeps) const {
        if (rounds.slow()) return false;
        const std::size_t visits = counted(rounds).size();  // each has one sweep
        if (visits < static_cast<std::size_t>(rules.min_visits)) return false;
        if (prefixes() && visits < static_cast<std::size_t>(min_sweeps)) return false;
        const std::vector<double> totals = totals_of(rounds);
        if (totals.size() < static_cast<std::size_t>(min_samples)) return false;
        return median_estimate(totals).relative_half_width() <= rules.target_half_width;
    }

    // A layer's time from the sweeps: the median up to its end, minus the median up to its beginning.
    void take_differences(NetworkTiming& timing, const CountedRounds& rounds) const {
        MedianEstimate before;
        for (std::size_t node = 0; node < network_.nodes; ++node) {
            std::vector<double> until;
            for (const Visit* visit : counted(rounds)) {
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
    void add_clock(NetworkTiming& timing, const CountedRounds& rounds) const {
        if (!network_.runner->clock_takes_time()) return;
        std::vector<double> layer_us;
        for (const Visit* visit : counted(rounds)) {
            if (visit->clock.readings == 0) continue;
            layer_us.push_back(visit->clock.layer_us);
            timing.clock.clamped += visit->clock.clamped;
            timing.clock.readings += visit->clock.readings;
        }
        if (!layer_us.empty()) timing.clock.layer_us = quantile(layer_us, 0.5);
    }

    // The timed passes whose whole time is between the quartiles.
    std::vector<const std::vector<double>*> middle_passes(const CountedRounds& rounds) const {
        std::vector<std::pair<double, const std::vector<double>*>> sorted;
        for (const Visit* visit : counted(rounds)) {
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
        if (speed_ != nullptr) speed_->now();
        const auto begin_round = [this] {
            std::vector<std::size_t> open = open_networks();
            if (!open.empty()) {
                speeds_us_.push_back(speed_ != nullptr ? speed_->last() : 0.0);
                readings_us_ = {speeds_us_.back()};
            }
            return open;
        };
        visit_in_rounds(
            begin_round, [this](std::size_t index) { visit(index); }, seed, keep_going);
        const CountedRounds rounds = counted_rounds();
        std::vector<NetworkTiming> results;
        for (const NetworkUnderTest& network : networks_) results.push_back(network.result(rules_, rounds));
        return results;
    }

private:
    std::vector<std::size_t> open_networks() const {
        const CountedRounds rounds = counted_rounds();
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < networks_.size(); ++i) {
            if (!networks_[i].done(rules_, rounds, patience_)) open.push_back(i);
        }
        return open;
    }

    void visit(std::size_t index) {
        networks_[index].visit(rules_, speeds_us_.size() - 1);
        if (speed_ == nullptr) return;
        // A round's speed is the median of the readings around its visits: what disturbs a few of them
        // disturbs as few of the visits, and medians over rounds bear it.
        readings_us_.push_back(speed_->now());
        speeds_us_.back() = quantile(readings_us_, 0.5);
    }

    // Those at the fastest speed, where there are enough; else those at the fastest speed at which there are
    // enough, of the rounds that all networks had.
    CountedRounds counted_rounds() const {
        CountedRounds rounds;
        rounds.counts.assign(speeds_us_.size(), true);
        if (speed_ == nullptr || speeds_us_.empty()) return rounds;
        const auto enough = static_cast<std::size_t>(std::max(1, rules_.min_visits));
        const auto at_speed = [this](double reference_us, std::size_t until) {
            const double max_us = (1.0 + MachineSpeed::tolerance) * reference_us;
            return static_cast<std::size_t>(
                std::count_if(speeds_us_.begin(), speeds_us_.begin() + static_cast<std::ptrdiff_t>(until),
                              [max_us](double us) { return us <= max_us; }));
        };
        double reference_us = speed_->fastest();
        std::size_t until = speeds_us_.size();
        if (at_speed(reference_us, until) < enough) {
            std::size_t common = speeds_us_.size();
            for (const NetworkUnderTest& network : networks_) common = std::min(common, network.visits());
            if (common > 0) until = common;
            std::vector<double> sorted(speeds_us_.begin(),
                                       speeds_us_.begin() + static_cast<std::ptrdiff_t>(until));
            std::sort(sorted.begin(), sorted.end());
            reference_us = sorted.back();
            for (const double us : sorted) {
                if (at_speed(us, until) < std::min(enough, until)) continue;
                reference_us = us;
                break;
            }
            rounds.slowdown = reference_us / speed_->fastest();
        }
        std::vector<double> counted_us;
        for (std::size_t round = 0; round < speeds_us_.size(); ++round) {
            rounds.counts[round] =
                round < until && speeds_us_[round] <= (1.0 + MachineSpeed::tolerance) * reference_us;
            if (rounds.counts[round]) counted_us.push_back(speeds_us_[round]);
        }
        rounds.reference_us = quantile(std::move(counted_us), 0.5);
        return rounds;
    }

    std::vector<NetworkUnderTest> networks_;
    const TimingRules& rules_;
    MachineSpeed* speed_;
    double patience_;
    std::vector<double> speeds_us_;    // by round
    std::vector<double> readings_us_;  // of the round that is going on
};

}  // namespace

std::vector<NetworkTiming> time_networks(const std::vector<TimedNetwork>& networks, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going,
                                         MachineSpeed* machine_speed) {
    return RoundsAtSpeed(networks, rules, machine_speed).run(seed, keep_going);
}

ClockCost take_off_clock(std::vector<std::vector<double>>& passes, const std::vector<double>& plain_us) {
    std::vector<double> with_clock;
    for (const std::vector<double>& pass : passes) {
        with_clock.push_back(std::accumulate(pass.begin(), pass.end(), 0.0));
    }
    const double longer_us = std::max(0.0, quantile(with_clock, 0.5) - quantile(plain_us, 0.5));
    ClockCost cost;
    cost.layer_us = longer_us / static_cast<double>(passes.front().size());
    for (std::vector<double>& pass : passes) {
        for (double& reading : pass) {
            const double least = least_share_of_reading * reading;
            ++cost.readings;
            if (reading - cost.layer_us < least) ++cost.clamped;
            reading = std::max(reading - cost.layer_us, least);
        }
    }
    return cost;
}

Trace trace_passes(NetworkRunner& runner, std::size_t nodes, int passes,
                   const std::function<bool()>& keep_going) {
    std::vector<double> node_us(nodes);
    for (int i = 0; i < untraced_passes && keep_going(); ++i) runner.run_timed(node_us);
    std::vector<double> begins_us;
    std::vector<std::vector<double>> timed;
    std::vector<double> plain_us;
    const double begin = runner.clock_us();
    for (int i = 0; i < passes && keep_going(); ++i) {
        if (runner.clock_takes_time()) plain_us.push_back(runner.time_runs(1));
        begins_us.push_back(runner.clock_us() - begin);
        runner.run_timed(node_us);
        timed.push_back(node_us);
    }
    Trace trace;
    if (!plain_us.empty()) trace.clock = take_off_clock(timed, plain_us);
    for (std::size_t i = 0; i < timed.size(); ++i) trace.passes.push_back({begins_us[i], timed[i]});
    return trace;
}

}  // namespace hacscale
