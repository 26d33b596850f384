#include "profiler/timing/network_timer.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

constexpr std::size_t most_kept_passes = 100'000;

// One network's samples so far.
class NetworkSubject {
public:
    explicit NetworkSubject(const TimedSubject& subject) : subject_(subject), node_us_(subject.nodes) {}

    void visit(const TimingRules& rules) {
        const double start = now_us();
        ++visits_;
        // Twice: the first pass brings weights back, the second leaves the caches as a pass finds them.
        subject_.runner->run();
        const double before_second = now_us();
        subject_.runner->run();
        const double one_pass = now_us() - before_second;
        // Long enough that the passes thrown away above are the smaller part.
        const double until = now_us() + std::max(rules.burst_us, 7.5 * one_pass);
        do {
            totals_.push_back(subject_.runner->time_runs(1));
            subject_.runner->run_timed(node_us_);
            if (passes_.size() < most_kept_passes) passes_.push_back(node_us_);
        } while (now_us() < until);
        spent_us_ += now_us() - start;
    }

    bool done(const TimingRules& rules) const {
        return converged(rules) || spent_us_ > rules.most_seconds * 1e6;
    }

    NetworkTiming result(const TimingRules& rules) const {
        NetworkTiming timing;
        timing.samples = static_cast<std::int64_t>(totals_.size());
        timing.nodes.resize(subject_.nodes);
        if (totals_.empty()) return timing;
        timing.total = median_estimate(totals_);
        timing.converged = converged(rules);
        const std::vector<const std::vector<double>*> middle = middle_passes();
        timing.layer_samples = static_cast<std::int64_t>(middle.size());
        std::vector<double> values(middle.size());
        for (std::size_t node = 0; node < subject_.nodes; ++node) {
            for (std::size_t pass = 0; pass < middle.size(); ++pass) values[pass] = (*middle[pass])[node];
            timing.nodes[node] = mean_estimate(values);
        }
        return timing;
    }

private:
    bool converged(const TimingRules& rules) const {
        if (visits_ < rules.fewest_visits) return false;
        if (totals_.size() < static_cast<std::size_t>(rules.fewest_samples)) return false;
        return median_estimate(totals_).relative_half_width() <= rules.target_half_width;
    }

    // The timed passes whose whole time lies between the quartiles.
    std::vector<const std::vector<double>*> middle_passes() const {
        std::vector<std::pair<double, const std::vector<double>*>> sorted;
        for (const auto& pass : passes_) {
            double sum = 0.0;
            for (const double time : pass) sum += time;
            sorted.emplace_back(sum, &pass);
        }
        std::sort(sorted.begin(), sorted.end());
        const std::size_t begin = sorted.size() / 4;
        const std::size_t end = std::max(begin + 1, sorted.size() - sorted.size() / 4);
        std::vector<const std::vector<double>*> middle;
        for (std::size_t i = begin; i < end; ++i) middle.push_back(sorted[i].second);
        return middle;
    }

    TimedSubject subject_;
    std::vector<double> node_us_;
    std::vector<double> totals_;
    std::vector<std::vector<double>> passes_;
    double spent_us_ = 0.0;
    int visits_ = 0;
};

}  // namespace

std::vector<NetworkTiming> time_networks(const std::vector<TimedSubject>& subjects, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going) {
    std::vector<NetworkSubject> states(subjects.begin(), subjects.end());
    return time_in_rounds(states, rules, seed, keep_going);
}

}  // namespace hacscale
