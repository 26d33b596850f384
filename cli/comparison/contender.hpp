// One strategy's way through the rounds of checking (cli/comparison/compare.hpp).
#pragma once

#include <optional>
#include <set>

#include "cli/comparison/timed_network.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::cli {

class Contender {
public:
    Contender(const Strategy& strategy, const ScalingContext& context, double budget);
    // A strategy whose choice stands already: there is nothing to search.
    Contender(const Strategy& strategy, const ScalingContext& context, double budget, Fit fixed);

    const Fit& first_fit() const { return first_fit_; }
    // What is to be timed next; nothing when the search is over.
    const std::optional<Fit>& open() const { return open_; }
    // The open choice was timed, at this ratio to the base.
    void timed(double latency_ratio);
    // The open choice could not be timed.
    void failed(const std::string& reason);

    // The best choice that kept the budget; where none did, the one closest to it; before any was timed, the
    // prediction.
    const Fit& chosen() const;
    const std::string& failure() const { return failure_; }

private:
    struct Tried {
        Fit fit;
        double latency_ratio = 0.0;
    };
    void propose(double predicted_budget_us);
    bool better(const Tried& candidate) const;

    const Strategy& strategy_;
    const ScalingContext& context_;
    double budget_;
    Fit first_fit_;
    std::optional<Fit> open_;
    std::optional<Tried> best_;
    std::set<ScalingChoice> tried_;
    std::string failure_;
};

}  // namespace hacscale::cli
