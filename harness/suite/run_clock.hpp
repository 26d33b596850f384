// The time of a whole run: what is planned, how much of it is left, and the limit, shared out over the steps.
//
// A step has a weight: the seconds that it takes where nothing disturbs it. Where the run has a limit, a step
// is allotted its weight's share of the time left, so that what one step did not need is there for those
// behind it. How long the rest takes is told from its weights and from how long finished steps of the same
// kind took for theirs.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>

#include "harness/events.hpp"

namespace hacscale::harness {

enum class RunStep { profile, compare, verify };

class PlannedSteps {
public:
    void add(RunStep kind, double weight_s) {
        ++count_;
        weights_s_[static_cast<std::size_t>(kind)] += weight_s;
    }
    int count() const { return count_; }
    double weight_s(RunStep kind) const { return weights_s_[static_cast<std::size_t>(kind)]; }
    double weight_s() const { return weights_s_[0] + weights_s_[1] + weights_s_[2]; }

private:
    int count_ = 0;
    std::array<double, 3> weights_s_{};
};

class RunClock {
public:
    using Now = std::function<double()>;  // seconds since whatever

    // `limit_s` of 0 is no limit. `now` is the clock of what is measured (kernels/backend/backend.hpp).
    RunClock(const PlannedSteps& planned, double limit_s, Now now);

    // Says which step it is and how long all that is left will take. The step before has ended.
    void begin(Events& events, RunStep kind, const std::string& what, double weight_s);
    // The step was finished by an earlier run: its time is there for the others.
    void skip(Events& events, RunStep kind, const std::string& what, double weight_s);

    // Of what the current step was allotted as it began; infinity without a limit.
    double left_of_step_s() const;
    bool is_limited() const { return limit_s_ > 0.0; }
    bool time_is_up() const { return left_s() <= 0.0; }
    // For the current step and those behind it, as things went so far; never more than the limit leaves.
    double expected_s() const;

private:
    double left_s() const;
    void end_step();
    void say(Events& events, const std::string& text);

    struct StepRate {  // of finished steps of one kind
        double weight_s = 0.0;
        double took_s = 0.0;
    };
    double factor(RunStep kind) const;
    StepRate& rate(RunStep kind) { return rates_[static_cast<std::size_t>(kind)]; }

    Now now_;
    double start_s_;
    double limit_s_;
    int steps_;
    std::array<double, 3> ahead_s_{};  // weights, by kind; of the current step and those behind it
    std::array<StepRate, 3> rates_{};
    int step_ = 0;
    bool running_ = false;
    RunStep kind_ = RunStep::profile;  // of the current step
    double weight_s_ = 0.0;
    double began_s_ = 0.0;
    double until_s_ = 0.0;
};

// "45 s", "12 min", "3.5 h"
std::string duration_text(double seconds);

}  // namespace hacscale::harness
