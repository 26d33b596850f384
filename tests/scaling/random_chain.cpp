#include "tests/scaling/random_chain.hpp"

#include <algorithm>
#include <map>

namespace hacscale::testing {
namespace {

using Random = std::mt19937_64;

std::int64_t within(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

struct Spread {
    std::int64_t cost = 1;
    std::int64_t params = 1;
    std::int64_t gain = 1;
    bool infeasible = false;
    bool grows = false;  // later options cost and gain more, as wider and deeper stages do
};

std::int64_t cost_or_infeasible(Random& random, const Spread& spread, std::size_t option) {
    if (spread.infeasible && within(random, 0, 5) == 0) return infeasible_cost;
    const auto steps = static_cast<std::int64_t>(option);
    return spread.grows ? steps * spread.cost + within(random, 0, spread.cost)
                        : within(random, 0, spread.cost);
}

std::int64_t gain(Random& random, const Spread& spread, std::size_t option) {
    const auto steps = static_cast<std::int64_t>(option);
    return spread.grows ? steps * spread.gain + within(random, 0, spread.gain)
                        : within(random, -spread.gain, spread.gain);
}

Chain random_chain(Random& random, const std::vector<int>& widths, const std::vector<int>& depths,
                   const Spread& spread) {
    Chain chain;
    chain.cost_offset = within(random, 0, spread.cost);
    chain.params_offset = within(random, 0, spread.params);
    chain.gain_offset = within(random, -spread.gain, spread.gain);
    int previous = 1;
    for (std::size_t s = 0; s < widths.size(); ++s) {
        ChainStage stage = make_stage(previous, widths[s], depths[s]);
        for (auto& value : stage.entry_cost) value = cost_or_infeasible(random, spread, 0);
        for (std::size_t i = 0; i < stage.gain.size(); ++i) {
            stage.body_cost[i] = cost_or_infeasible(random, spread, i);
            stage.gain[i] = gain(random, spread, i);
        }
        for (auto& value : stage.entry_params) value = within(random, 0, spread.params);
        for (auto& value : stage.body_params) value = within(random, 0, spread.params);
        chain.stages.push_back(std::move(stage));
        previous = widths[s];
    }
    return chain;
}

// Calls visit(choice) for every choice of indices.
template <typename Visit>
void for_each_choice(const ChainProblem& problem, const Visit& visit) {
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        const std::vector<ChainStage>& stages = problem.chains[c].stages;
        ChainChoice choice{static_cast<int>(c), std::vector<int>(stages.size(), 0),
                           std::vector<int>(stages.size(), 0)};
        while (true) {
            visit(choice);
            std::size_t s = 0;
            for (; s < stages.size(); ++s) {
                if (++choice.widths[s] < stages[s].widths) break;
                choice.widths[s] = 0;
                if (++choice.depths[s] < stages[s].depths) break;
                choice.depths[s] = 0;
            }
            if (s == stages.size()) break;
        }
    }
}

}  // namespace

ChainProblem random_problem(Random& random) {
    const std::int64_t costs[] = {3, 40, 5000, 100'000'000'000};
    const std::int64_t params[] = {0, 3, 1000, 3'000'000};
    const std::int64_t gains[] = {2, 50, 1'000'000'000};
    const Spread spread{costs[within(random, 0, 3)], params[within(random, 0, 3)],
                        gains[within(random, 0, 2)], within(random, 0, 1) == 1, within(random, 0, 1) == 1};
    const auto stages = static_cast<std::size_t>(within(random, 1, 4));
    std::vector<int> widths;
    std::vector<int> depths;
    const std::int64_t most = stages == 4 ? 3 : 4;
    for (std::size_t s = 0; s < stages; ++s) {
        widths.push_back(static_cast<int>(within(random, 1, most)));
        depths.push_back(static_cast<int>(within(random, 1, most - 1)));
    }
    ChainProblem problem;
    const std::int64_t chains = within(random, 1, 3);
    for (std::int64_t c = 0; c < chains; ++c)
        problem.chains.push_back(random_chain(random, widths, depths, spread));
    return problem;
}

FrontLimits random_limits(const ChainProblem& problem, Random& random) {
    std::int64_t most_cost = 0;
    std::int64_t most_params = 0;
    for_each_choice(problem, [&](const ChainChoice& choice) {
        if (const auto point = evaluate(problem, choice)) {
            most_cost = std::max(most_cost, point->cost);
            most_params = std::max(most_params, point->params);
        }
    });
    FrontLimits limits;
    limits.max_cost = within(random, 0, 2) == 0 ? most_cost : within(random, most_cost / 4, most_cost + 1);
    if (within(random, 0, 1) == 1) limits.max_params = within(random, most_params / 3, most_params + 1);
    return limits;
}

std::optional<FrontPoint> evaluate(const ChainProblem& problem, const ChainChoice& choice) {
    const auto totals = totals_of(problem, choice);
    if (!totals) return std::nullopt;
    return FrontPoint{totals->cost, totals->gain, totals->params};
}

std::vector<FrontPoint> brute_force_front(const ChainProblem& problem, const FrontLimits& limits) {
    std::vector<FrontPoint> points;
    for_each_choice(problem, [&](const ChainChoice& choice) {
        const auto point = evaluate(problem, choice);
        if (!point || point->cost > limits.max_cost) return;
        if (limits.max_params && point->params > *limits.max_params) return;
        points.push_back(*point);
    });
    std::sort(points.begin(), points.end(), [](const FrontPoint& a, const FrontPoint& b) {
        if (a.cost != b.cost) return a.cost < b.cost;
        return a.gain != b.gain ? a.gain > b.gain : a.params < b.params;
    });
    std::vector<FrontPoint> front;
    for (const FrontPoint& point : points) {
        if (front.empty() || point.gain > front.back().gain) front.push_back(point);
    }
    return front;
}

}  // namespace hacscale::testing
