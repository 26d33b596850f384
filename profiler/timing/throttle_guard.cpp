#include "profiler/timing/throttle_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
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

}  // namespace hacscale
