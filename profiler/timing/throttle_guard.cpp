#include "profiler/timing/throttle_guard.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "base/clock.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale {
namespace {

constexpr double between_looks_us =
    20e3;  // a look takes a driver up to a millisecond, in which the device idles

}  // namespace

void ThrottleGuard::begin() {
    clocks_mhz_.clear();
    next_look_us_ = 0.0;
    slowed_ = capped_ = false;
    causes_.clear();
    if (instruments_ != nullptr) before_ = instruments_->state();
}

void ThrottleGuard::look(double clock_us) {
    if (instruments_ == nullptr || clock_us < next_look_us_) return;
    next_look_us_ = clock_us + between_looks_us;
    if (const std::optional<double> mhz = instruments_->sm_clock_mhz()) clocks_mhz_.push_back(*mhz);
}

void ThrottleGuard::end() {
    if (instruments_ == nullptr) return;
    after_ = instruments_->state();
    for (const DeviceState* moment : {&before_, &after_}) {
        slowed_ = slowed_ || moment->throttled;
        capped_ = capped_ || moment->power_capped;
        if (moment->throttled || moment->power_capped) add_cause(moment->throttle_reasons);
    }
    for (const HeldDown& now : after_.held_down) {
        const auto then =
            std::find_if(before_.held_down.begin(), before_.held_down.end(),
                         [&now](const HeldDown& earlier) { return earlier.cause == now.cause; });
        if (then == before_.held_down.end()) continue;
        if (now.us - then->us <= min_share * (after_.at_us - before_.at_us)) continue;
        (now.power_cap ? capped_ : slowed_) = true;
        add_cause(now.cause);
    }
}

void ThrottleGuard::add_cause(const std::string& cause) {
    if (causes_.find(cause) != std::string::npos) return;
    causes_ += (causes_.empty() ? "" : ", ") + cause;
}

// Where the clock was not seen, it may have.
bool ThrottleGuard::clock_varied() const {
    if (clocks_mhz_.size() < 2) return true;
    const double fast = quantile(clocks_mhz_, 0.95);
    return fast - quantile(clocks_mhz_, 0.05) > clock_tolerance * fast;
}

std::string ThrottleGuard::reason() const {
    if (!throttled()) return {};
    std::string text = "the device held its clocks down while this was measured: " + causes_;
    if (clocks_mhz_.size() >= 2) {
        text += fmt::format("; its clock was {:.0f} to {:.0f} MHz", quantile(clocks_mhz_, 0.05),
                            quantile(clocks_mhz_, 0.95));
    }
    return text;
}

DeviceState ThrottleGuard::state() const {
    DeviceState state = after_;
    state.throttled = throttled();
    if (!causes_.empty()) state.throttle_reasons = causes_;
    return state;
}

void spin_up(NetworkRunner& runner, double seconds, const std::function<bool()>& keep_going) {
    const double until_us = runner.clock_us() + seconds * 1e6;
    while (runner.clock_us() < until_us && keep_going()) runner.run();
}

void pause(double seconds, const std::function<bool()>& keep_going) {
    constexpr double step_us = 50e3;
    const double until = now_us() + seconds * 1e6;
    for (double left = seconds * 1e6; left > 0.0 && keep_going(); left = until - now_us()) {
        std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(std::min(left, step_us)));
    }
}

namespace {

constexpr double burst_us = 20e3;  // between two looks at the counter; a look takes a driver less
constexpr int most_runs_in_burst = 10'000;

// The counter as it was seen to move, and what had been done until then.
struct Step {
    double energy_mj = 0.0;
    double at_us = 0.0;
    double busy_us = 0.0;
    std::int64_t runs = 0;
};

EnergyReading reading_between(const Step& first, const Step& last) {
    EnergyReading reading;
    reading.duty = (last.busy_us - first.busy_us) / (last.at_us - first.at_us);
    const double used_mj = last.energy_mj - first.energy_mj;
    if (used_mj <= 0.0) {
        reading.reason = "the device's energy counter runs backwards";
    } else if (reading.duty < min_duty) {
        reading.reason = fmt::format(
            "the device computed only {:.1f} % of the time in which its energy was "
            "counted, at least {:.0f} % are wanted; end what else keeps this machine busy",
            100.0 * reading.duty, 100.0 * min_duty);
    } else {
        reading.inference_mj = used_mj / static_cast<double>(last.runs - first.runs);
    }
    return reading;
}

}  // namespace

EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going) {
    const EnergyCounter counter = instruments.energy();
    if (!counter.mj) {
        return {{}, counter.reason.empty() ? "the device has no energy counter" : counter.reason};
    }
    const double once_us = std::max(runner.time_runs(1), 0.1);
    const int burst = std::clamp(static_cast<int>(burst_us / once_us), 1, most_runs_in_burst);

    std::optional<Step> first;  // the one that counting began at
    Step now{*counter.mj, runner.clock_us()};
    const double begin_us = now.at_us;
    while (keep_going()) {
        runner.start_runs(burst);
        const double energy_mj = instruments.energy().mj.value_or(now.energy_mj);
        now.at_us = runner.clock_us();
        const double burst_took_us = runner.finish_runs(burst);
        // A step may be longer than `seconds`, so the second one has that long again to come.
        const double most_us = (first ? 3.0 : 1.0) * seconds * 1e6;
        if (energy_mj != now.energy_mj) {
            now.energy_mj = energy_mj;
            if (first && now.at_us - first->at_us >= seconds * 1e6) return reading_between(*first, now);
            if (!first) first = now;
        } else if (now.at_us - begin_us > most_us) {
            return {{}, "the device's energy counter does not move"};
        }
        now.busy_us += burst_took_us;
        now.runs += burst;
    }
    return {{}, "interrupted before it was measured"};
}

}  // namespace hacscale
