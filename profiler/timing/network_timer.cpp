#include "profiler/timing/network_timer.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

constexpr std::size_t most_kept_passes = 100'000;
// Of rules.most_seconds, in all, while the machine is slower than it can be.
constexpr double patience = 6.0;

// What one visit saw.
struct Visit {
    double pace_us = 0.0;  // the slower of the readings before and after
    double spent_us = 0.0;
    std::vector<double> totals;
    std::vector<std::vector<double>> passes;
};

// One network's samples so far.
class NetworkSubject {
public:
    NetworkSubject(const TimedSubject& subject, Pace* pace)
        : subject_(subject), pace_(pace), node_us_(subject.nodes) {}

    void visit(const TimingRules& rules) {
        const double start = now_us();
        Visit& visit = visits_.emplace_back();
        // Twice: the first pass brings weights back, the second leaves the caches as a pass finds them.
        subject_.runner->run();
        const double before_second = now_us();
        subject_.runner->run();
        const double one_pass = now_us() - before_second;
        // Long enough that the passes thrown away above are the smaller part.
        const double until = now_us() + std::max(rules.burst_us, 7.5 * one_pass);
        do {
            visit.totals.push_back(subject_.runner->time_runs(1));
            subject_.runner->run_timed(node_us_);
            if (kept_passes_++ < most_kept_passes) visit.passes.push_back(node_us_);
        } while (now_us() < until);
        visit.spent_us = now_us() - start;
        spent_us_ += visit.spent_us;
        if (pace_ != nullptr) {
            const double before = pace_->last();
            visit.pace_us = std::max(before, pace_->now());
        }
    }

    bool done(const TimingRules& rules) const {
        const Counted counted = counted_visits();
        if (converged(rules, counted)) return true;
        const double most_us = rules.most_seconds * 1e6;
        if (counted.slowdown > 1.0 + Pace::tolerance && !pace_->waited_in_vain())
            return spent_us_ > patience * most_us;
        double spent_us = 0.0;
        for (const Visit* visit : counted.visits) spent_us += visit->spent_us;
        return spent_us > most_us || spent_us_ > patience * most_us;
    }

    NetworkTiming result(const TimingRules& rules) const {
        const Counted counted = counted_visits();
        NetworkTiming timing;
        timing.samples = static_cast<std::int64_t>(counted.totals.size());
        timing.nodes.resize(subject_.nodes);
        timing.slowdown = counted.slowdown;
        if (counted.totals.empty()) return timing;
        timing.total = median_estimate(counted.totals);
        timing.converged = converged(rules, counted);
        const std::vector<const std::vector<double>*> middle = middle_passes(counted);
        timing.layer_samples = static_cast<std::int64_t>(middle.size());
        std::vector<double> values(middle.size());
        for (std::size_t node = 0; node < subject_.nodes; ++node) {
            for (std::size_t pass = 0; pass < middle.size(); ++pass) values[pass] = (*middle[pass])[node];
            timing.nodes[node] = mean_estimate(values);
        }
        return timing;
    }

private:
    // The visits that count: those at the machine's fastest pace, or at the fastest that there was.
    struct Counted {
        std::vector<const Visit*> visits;
        std::vector<double> totals;
        double slowdown = 1.0;
    };
    Counted counted_visits() const {
        Counted counted;
        if (visits_.empty()) return counted;
        double own_us = visits_.front().pace_us;
        for (const Visit& visit : visits_) own_us = std::min(own_us, visit.pace_us);
        double pace_us = own_us;
        if (pace_ != nullptr) {
            if (own_us <= (1.0 + Pace::tolerance) * pace_->fastest()) pace_us = pace_->fastest();
            counted.slowdown = pace_us / pace_->fastest();
        }
        for (const Visit& visit : visits_) {
            if (visit.pace_us > (1.0 + Pace::tolerance) * pace_us) continue;
            counted.visits.push_back(&visit);
            counted.totals.insert(counted.totals.end(), visit.totals.begin(), visit.totals.end());
        }
        return counted;
    }

    static bool converged(const TimingRules& rules, const Counted& counted) {
        if (counted.slowdown > 1.0 + Pace::tolerance) return false;
        if (counted.visits.size() < static_cast<std::size_t>(rules.fewest_visits)) return false;
        if (counted.totals.size() < static_cast<std::size_t>(rules.fewest_samples)) return false;
        return median_estimate(counted.totals).relative_half_width() <= rules.target_half_width;
    }

    // The timed passes whose whole time lies between the quartiles.
    static std::vector<const std::vector<double>*> middle_passes(const Counted& counted) {
        std::vector<std::pair<double, const std::vector<double>*>> sorted;
        for (const Visit* visit : counted.visits) {
            for (const auto& pass : visit->passes) {
                double sum = 0.0;
                for (const double time : pass) sum += time;
                sorted.emplace_back(sum, &pass);
            }
        }
        std::sort(sorted.begin(), sorted.end());
        const std::size_t begin = sorted.size() / 4;
        const std::size_t end = std::max(begin + 1, sorted.size() - sorted.size() / 4);
        std::vector<const std::vector<double>*> middle;
        for (std::size_t i = begin; i < end; ++i) middle.push_back(sorted[i].second);
        return middle;
    }

    TimedSubject subject_;
    Pace* pace_;
    std::vector<double> node_us_;
    std::vector<Visit> visits_;
    std::size_t kept_passes_ = 0;
    double spent_us_ = 0.0;
};

}  // namespace

std::vector<NetworkTiming> time_networks(const std::vector<TimedSubject>& subjects, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going,
                                         Pace* pace) {
    std::vector<NetworkSubject> states;
    for (const TimedSubject& subject : subjects) states.emplace_back(subject, pace);
    if (pace != nullptr) pace->now();
    return time_in_rounds(states, rules, seed, keep_going);
}

}  // namespace hacscale
