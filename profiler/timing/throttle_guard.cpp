#include "profiler/timing/throttle_guard.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.hpp"

namespace hacscale {

void ThrottleGuard::begin() {
    if (instruments_ != nullptr) before_ = instruments_->state();
}

void ThrottleGuard::end() {
    if (instruments_ != nullptr) after_ = instruments_->state();
}

std::string ThrottleGuard::reason() const {
    if (!throttled()) return {};
    return "the device held its clocks down while this was measured: " + state().throttle_reasons;
}

DeviceState ThrottleGuard::state() const {
    DeviceState state = after_;
    state.throttled = throttled();
    if (before_.throttled && before_.throttle_reasons != after_.throttle_reasons) {
        state.throttle_reasons = before_.throttle_reasons;
        if (after_.throttled) state.throttle_reasons += ", " + after_.throttle_reasons;
    }
    return state;
}

void pause(double seconds, const std::function<bool()>& keep_going) {
    constexpr double step_us = 50e3;
    const double until = now_us() + seconds * 1e6;
    for (double left = seconds * 1e6; left > 0.0 && keep_going(); left = until - now_us()) {
        std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(std::min(left, step_us)));
    }
}

}  // namespace hacscale
