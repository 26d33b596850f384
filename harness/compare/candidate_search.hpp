// One strategy's way through the rounds of checking (harness/compare/compare.hpp).
//
// A table is off by some per cent, and by another share for each network. So the search goes along the
// strategy's choices between what is known to keep the budget and what is known to exceed it: first to where
// the last ratio says that the budget is met, and where that was tried already, half-way between the two.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/device_access.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::harness {

// The time of one comparison, shared out over its sessions of timing: rounds of the search, and the final
// sessions, without which the search was for nothing. Without a limit every session may take as long as it
// likes.

class SessionBudget {
public:
    SessionBudget() = default;
    // `left_s` tells what the comparison may still take, seconds.
    explicit SessionBudget(std::function<double()> left_s) : left_s_(std::move(left_s)) {}

    // Whether a session of so many networks leaves the time for one of `later` networks behind it, at the
    // speed of the last one.
    bool allows(std::size_t networks, std::size_t later) const;
    // A session of so many networks, and the last before one of `later` networks; 0 when none has to follow.
    void begin(std::size_t networks, std::size_t later);
    void end();
    // At most, for the session that began last.
    double session_s() const { return session_s_; }

private:
    std::function<double()> left_s_;
    double left_as_it_began_s_ = 0.0;
    std::size_t networks_ = 0;
    double network_s_ = 0.0;  // that one network took in the last session
    double session_s_ = std::numeric_limits<double>::infinity();
};

class CandidateSearch {
public:
    CandidateSearch(const Strategy& strategy, const ScalingContext& context, double budget);
    // A strategy whose choice is known already: there is nothing to search.
    CandidateSearch(const Strategy& strategy, const ScalingContext& context, double budget, Fit fixed);

    const Fit& first_fit() const { return first_fit_; }
    // What is to be timed next; nothing when the search is over.
    const std::optional<Fit>& open() const { return open_; }
    // The open choice was timed, at this ratio to the base.
    void timed(double latency_ratio);
    // The open choice could not be timed.
    void failed(const std::string& reason);

    // Of what kept the budget, the most gain, the base among it; where nothing did, what came closest; before
    // anything was timed, the prediction.
    const Fit& chosen() const;
    // The choice, timed once more, exceeds the budget after all. Whether another one takes its place now:
    // one that kept the budget, or one not timed yet that gains more and should keep it.
    bool reject_chosen(double latency_ratio);
    const std::string& failure() const { return failure_; }

private:
    struct Tried {
        Fit fit;
        double latency_ratio = 0.0;
    };
    bool keeps_budget(const Tried& tried) const { return tried.latency_ratio <= budget_; }
    const Tried* best() const;
    bool was_tried(const ScalingChoice& choice) const;
    bool open_untried(double predicted_budget_us);

    const Strategy& strategy_;
    const ScalingContext& context_;
    double budget_;
    Fit first_fit_;
    std::optional<Fit> open_;
    std::vector<Tried> tried_;
    std::string failure_;
};

}  // namespace hacscale::harness
