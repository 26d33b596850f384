// The time of a whole run: how long each of its steps may take, how much is left, and the suite's limit.
#pragma once

#include <chrono>
#include <string>

#include "cli/session.hpp"

namespace hacscale::cli {

class RunClock {
public:
    // `steps` take at most `seconds_at_most` together; `limit_s` of 0 is no limit.
    RunClock(int steps, double seconds_at_most, double limit_s)
        : steps_(steps), ahead_s_(seconds_at_most), limit_s_(limit_s) {}

    // Says which step it is and how long all that is left may take. The step before has ended.
    void begin(Session& session, const std::string& what, double seconds_at_most);
    // What a part of the current step may take: the limit's time is shared among what is ahead.
    double share(double seconds_at_most) const;
    bool time_is_up() const { return left_s() <= 0.0; }

private:
    using Clock = std::chrono::steady_clock;
    double left_s() const;

    int steps_;
    int step_ = 0;
    double ahead_s_;  // of the current step and those behind it, at most
    double current_s_ = 0.0;
    double limit_s_;
    Clock::time_point start_ = Clock::now();
};

// "45 s", "12 min", "3.5 h"
std::string duration_text(double seconds);

}  // namespace hacscale::cli
