#include "profiler/timing/layer_timer.hpp"

#include <algorithm>
#include <cmath>

#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

// A warm sample is long enough that the clock's grain (tens of nanoseconds) is a thousandth of it.
constexpr double shortest_sample_us = 40.0;

class LayerUnderTest {
public:
    LayerUnderTest(NetworkRunner* runner, IsolatedState state) : runner_(runner), state_(state) {}

    void visit(const TimingRules& rules) {
        const double start = runner_->clock_us();
        if (state_ == IsolatedState::warm) warm_up();
        const double until = runner_->clock_us() + rules.burst_us;
        do {
            samples_.push_back(state_ == IsolatedState::warm ? warm_sample() : runner_->time_cold());
        } while (runner_->clock_us() < until);
        spent_us_ += runner_->clock_us() - start;
    }
    bool done(const TimingRules& rules) const {
        return converged(rules) || spent_us_ > rules.max_seconds * 1e6;
    }
    LayerTiming result(const TimingRules& rules) const {
        if (samples_.empty()) return {};
        return {median_estimate(samples_), static_cast<std::int64_t>(samples_.size()), converged(rules)};
    }

private:
    bool converged(const TimingRules& rules) const {
        return samples_.size() >= static_cast<std::size_t>(rules.min_samples) &&
               median_estimate(samples_).relative_half_width() <= rules.target_half_width;
    }
    // The caches hold another layer's data at the start of each visit.
    void warm_up() {
        runner_->run();
        const double once = std::max(runner_->time_runs(1), 0.1);
        batch_ = std::max(1, static_cast<int>(std::ceil(shortest_sample_us / once)));
    }
    double warm_sample() { return runner_->time_runs(batch_) / batch_; }

    NetworkRunner* runner_;
    IsolatedState state_;
    int batch_ = 1;
    std::vector<double> samples_;
    double spent_us_ = 0.0;
};

}  // namespace

std::vector<LayerTiming> time_layers(const std::vector<NetworkRunner*>& runners, IsolatedState state,
                                     const TimingRules& rules, std::uint64_t seed,
                                     const std::function<bool()>& keep_going) {
    std::vector<LayerUnderTest> layers;
    for (NetworkRunner* runner : runners) layers.emplace_back(runner, state);
    return time_in_rounds(layers, rules, seed, keep_going);
}

}  // namespace hacscale
