#include "harness/suite/run_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hacscale::harness {

namespace {

// Of the limit: for the records and the report that follow the last step.
constexpr double reserve_share = 0.04;
constexpr double max_reserve_s = 10.0;
// Steps that take longer than planned tell that the machine is slow; one odd step should not tell of hours.
constexpr double largest_factor = 10.0;

}  // namespace

RunClock::RunClock(const PlannedSteps& planned, double limit_s, Now now)
    : now_(std::move(now)), start_s_(now_()), limit_s_(limit_s), steps_(planned.count()) {
    for (const RunStep kind : {RunStep::profile, RunStep::compare, RunStep::verify}) {
        ahead_s_[static_cast<std::size_t>(kind)] = planned.weight_s(kind);
    }
}

void RunClock::begin(Events& events, RunStep kind, const std::string& what, double weight_s) {
    end_step();
    running_ = true;
    kind_ = kind;
    weight_s_ = weight_s;
    began_s_ = now_();
    const double ahead_s = ahead_s_[0] + ahead_s_[1] + ahead_s_[2];
    const double to_share_s = std::max(0.0, left_s() - std::min(max_reserve_s, reserve_share * limit_s_));
    until_s_ = began_s_ + (ahead_s > 0.0 ? to_share_s * std::min(1.0, weight_s / ahead_s) : to_share_s);
    std::string text = fmt::format("{}; about {} left in all", what, duration_text(expected_s()));
    if (is_limited()) {
        text += fmt::format(", at most {}", duration_text(std::max(0.0, left_s())));
    }
    say(events, text);
}

void RunClock::skip(Events& events, RunStep kind, const std::string& what, double weight_s) {
    end_step();
    ahead_s_[static_cast<std::size_t>(kind)] -= weight_s;
    say(events, what);
}

void RunClock::end_step() {
    if (!running_) {
        return;
    }
    running_ = false;
    ahead_s_[static_cast<std::size_t>(kind_)] -= weight_s_;
    rate(kind_).weight_s += weight_s_;
    rate(kind_).took_s += now_() - began_s_;
}

void RunClock::say(Events& events, const std::string& text) {
    events.note(fmt::format("[{}/{}] {}", ++step_, steps_, text));
}

double RunClock::left_of_step_s() const {
    return is_limited() ? std::max(0.0, until_s_ - now_()) : std::numeric_limits<double>::infinity();
}

double RunClock::factor(RunStep kind) const {
    const StepRate& rate = rates_[static_cast<std::size_t>(kind)];
    return rate.weight_s > 0.0 ? std::min(largest_factor, rate.took_s / rate.weight_s) : 1.0;
}

double RunClock::expected_s() const {
    double expected_s = 0.0;
    for (const RunStep kind : {RunStep::profile, RunStep::compare, RunStep::verify}) {
        expected_s += std::max(0.0, ahead_s_[static_cast<std::size_t>(kind)]) * factor(kind);
    }
    if (running_) {
        expected_s -= std::min(now_() - began_s_, weight_s_ * factor(kind_));
    }
    return std::clamp(expected_s, 0.0, std::max(0.0, left_s()));
}

double RunClock::left_s() const {
    if (!is_limited()) {
        return std::numeric_limits<double>::infinity();
    }
    return limit_s_ - (now_() - start_s_);
}

std::string duration_text(double seconds) {
    constexpr double minute = 60.0;
    constexpr double hour = 3600.0;
    if (seconds < 1.5 * minute) {
        return fmt::format("{:.0f} s", std::ceil(seconds));
    }
    return seconds < 1.5 * hour ? fmt::format("{:.0f} min", seconds / minute)
                                : fmt::format("{:.1f} h", seconds / hour);
}

}  // namespace hacscale::harness
