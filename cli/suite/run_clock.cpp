#include "cli/suite/run_clock.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hacscale::cli {

void RunClock::begin(Session& session, const std::string& what, double seconds_at_most) {
    ahead_s_ = std::max(seconds_at_most, ahead_s_ - current_s_);
    current_s_ = seconds_at_most;
    ++step_;
    session.log.info("[{}/{}] {}; at most {} left in all", step_, steps_, what,
                     duration_text(std::clamp(left_s(), 0.0, ahead_s_)));
}

double RunClock::share(double seconds_at_most) const {
    const double left = left_s();
    if (left >= ahead_s_) {
        return seconds_at_most;
    }
    return std::max(0.0, left) * std::min(1.0, seconds_at_most / ahead_s_);
}

double RunClock::left_s() const {
    if (limit_s_ <= 0.0) {
        return std::numeric_limits<double>::infinity();
    }
    return limit_s_ - std::chrono::duration<double>(Clock::now() - start_).count();
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

}  // namespace hacscale::cli
