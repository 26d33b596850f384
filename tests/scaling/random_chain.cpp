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
    std::int64_t options = 1;  // of a block, at most
    bool grows = false;        // later options cost and gain more, as wider and deeper stages do
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

ResourceUsage random_needs(Random& random, const Spread& spread) {
    return {within(random, 0, spread.params), within(random, 0, spread.params),
            within(random, 0, spread.params), within(random, 0, spread.params)};
}

std::vector<BlockOption> random_ways(Random& random, const Spread& spread) {
    std::vector<BlockOption> options(static_cast<std::size_t>(within(random, 1, spread.options)));
    for (std::size_t i = 0; i < options.size(); ++i) {
        options[i].cost = cost_or_infeasible(random, spread, i);
        options[i].gain = gain(random, spread, i);
        options[i].usage = random_needs(random, spread);
    }
    return options;
}

struct Shape {
    int widths = 1;
    std::vector<int> depths;
    int kinds = 1;
};

Chain random_chain(Random& random, const std::vector<Shape>& shapes, const Spread& spread) {
    Chain chain;
    chain.cost_offset = within(random, 0, spread.cost);
    chain.gain_offset = within(random, -spread.gain, spread.gain);
    chain.usage_offset = random_needs(random, spread);
    int previous = 1;
    for (const Shape& shape : shapes) {
        ChainStage stage = make_stage(previous, shape.widths, shape.depths, shape.kinds);
        for (auto& options : stage.first) options = random_ways(random, spread);
        for (auto& options : stage.further) options = random_ways(random, spread);
        for (std::size_t i = 0; i < stage.gain.size(); ++i) stage.gain[i] = gain(random, spread, i);
        chain.stages.push_back(std::move(stage));
        previous = shape.widths;
    }
    return chain;
}

// The next choice of options for one stage; false when there is none.
bool advance_ways(const ChainStage& stage, int previous, int width, std::vector<int>& options) {
    for (std::size_t block = 0; block < options.size(); ++block) {
        const auto& list = block == 0 ? stage.first[stage.first_at(previous, width)]
                                      : stage.further[stage.further_at(width, static_cast<int>(block))];
        if (++options[block] < static_cast<int>(list.size())) return true;
        options[block] = 0;
    }
    return false;
}

// Calls visit(choice) for every choice of indices from stage `s` on.
template <typename Visit>
void for_each_from(const std::vector<ChainStage>& stages, std::size_t s, ChainChoice& choice,
                   const Visit& visit) {
    if (s == stages.size()) {
        visit(choice);
        return;
    }
    const ChainStage& stage = stages[s];
    const int previous = s > 0 ? choice.widths[s - 1] : 0;
    for (choice.widths[s] = 0; choice.widths[s] < stage.widths; ++choice.widths[s]) {
        for (choice.depths[s] = 0; choice.depths[s] < std::ssize(stage.depths); ++choice.depths[s]) {
            choice.options[s].assign(
                static_cast<std::size_t>(stage.depths[static_cast<std::size_t>(choice.depths[s])]), 0);
            do {
                for_each_from(stages, s + 1, choice, visit);
            } while (advance_ways(stage, previous, choice.widths[s], choice.options[s]));
        }
    }
}

template <typename Visit>
void for_each_choice(const ChainProblem& problem, const Visit& visit) {
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        const std::size_t stages = problem.chains[c].stages.size();
        ChainChoice choice{static_cast<int>(c), std::vector<int>(stages, 0), std::vector<int>(stages, 0),
                           std::vector<std::vector<int>>(stages)};
        for_each_from(problem.chains[c].stages, 0, choice, visit);
    }
}

}  // namespace

ChainProblem random_problem(Random& random) {
    const std::int64_t costs[] = {3, 40, 5000, 100'000'000'000};
    const std::int64_t params[] = {0, 3, 1000, 3'000'000};
    const std::int64_t gains[] = {2, 50, 1'000'000'000};
    Spread spread{costs[within(random, 0, 3)], params[within(random, 0, 3)], gains[within(random, 0, 2)],
                  within(random, 0, 1) == 1};
    spread.grows = within(random, 0, 1) == 1;
    const auto stages = static_cast<std::size_t>(within(random, 1, 4));
    // Fewer of everything where there is more of another, so that brute force stays fast.
    const bool with_ways = within(random, 0, 1) == 1;
    spread.options = with_ways ? (stages > 2 ? 2 : 3) : 1;
    const std::int64_t most = with_ways ? (stages < 3 ? 3 : 2) : stages == 4 ? 3 : 4;
    // Long lists too, where one stage with one or two widths keeps the number of choices small.
    const bool long_lists = with_ways && stages == 1;
    if (long_lists) spread.options = 40;
    std::vector<Shape> shapes;
    for (std::size_t s = 0; s < stages; ++s) {
        Shape shape;
        shape.widths = static_cast<int>(within(random, 1, long_lists ? 2 : most));
        int depth = 0;
        for (std::int64_t i = within(random, 1, std::max<std::int64_t>(1, most - 1)); i > 0; --i) {
            shape.depths.push_back(depth += static_cast<int>(within(random, 1, with_ways ? 1 : 2)));
        }
        shape.kinds = static_cast<int>(within(random, 1, 2));
        shapes.push_back(shape);
    }
    ChainProblem problem;
    const std::int64_t chains = within(random, 1, 3);
    for (std::int64_t c = 0; c < chains; ++c) problem.chains.push_back(random_chain(random, shapes, spread));
    return problem;
}

FrontLimits random_limits(const ChainProblem& problem, Random& random) {
    FrontPoint most;
    for_each_choice(problem, [&](const ChainChoice& choice) {
        if (const auto point = evaluate(problem, choice)) {
            most.cost = std::max(most.cost, point->cost);
            for (const auto member : {&ResourceUsage::params, &ResourceUsage::macs,
                                      &ResourceUsage::weight_bytes, &ResourceUsage::peak_bytes}) {
                most.usage.*member = std::max(most.usage.*member, point->usage.*member);
            }
        }
    });
    FrontLimits limits;
    limits.max_cost = within(random, 0, 2) == 0 ? most.cost : within(random, most.cost / 4, most.cost + 1);
    const auto some_cap = [&](std::int64_t max_need, int one_in) -> std::optional<std::int64_t> {
        if (within(random, 1, one_in) > 1) return std::nullopt;
        return within(random, max_need / 3, max_need + 1);
    };
    limits.caps.params = some_cap(most.usage.params, 3);
    limits.caps.macs = some_cap(most.usage.macs, 5);
    limits.caps.memory_bytes = some_cap(most.usage.memory_bytes(), 5);
    return limits;
}

std::optional<FrontPoint> evaluate(const ChainProblem& problem, const ChainChoice& choice) {
    const auto totals = totals_of(problem, choice);
    if (!totals) return std::nullopt;
    return FrontPoint{totals->cost, totals->gain, totals->usage};
}

std::vector<FrontPoint> all_points(const ChainProblem& problem, const FrontLimits& limits) {
    std::vector<FrontPoint> points;
    for_each_choice(problem, [&](const ChainChoice& choice) {
        const auto point = evaluate(problem, choice);
        if (point && point->cost <= limits.max_cost && limits.caps.admit(point->usage)) {
            points.push_back(*point);
        }
    });
    return points;
}

std::vector<FrontPoint> points_of(const PlanFront& front) {
    std::vector<FrontPoint> points;
    for (std::size_t i = 0; i < front.size(); ++i) {
        points.push_back({front.costs[i], front.gains[i], front.usage[i]});
    }
    return points;
}

std::vector<FrontPoint> front_among(std::vector<FrontPoint> points) {
    std::sort(points.begin(), points.end(), [](const FrontPoint& a, const FrontPoint& b) {
        if (a.cost != b.cost) return a.cost < b.cost;
        return a.gain != b.gain ? a.gain > b.gain : a.usage.params < b.usage.params;
    });
    std::vector<FrontPoint> front;
    for (const FrontPoint& point : points) {
        if (front.empty() || point.gain > front.back().gain) front.push_back(point);
    }
    return front;
}

std::vector<FrontPoint> brute_force_front(const ChainProblem& problem, const FrontLimits& limits) {
    return front_among(all_points(problem, limits));
}

bool equal_but_for_ties(const std::vector<FrontPoint>& a, const std::vector<FrontPoint>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const FrontPoint& x, const FrontPoint& y) {
        return x.cost == y.cost && x.gain == y.gain && x.usage.params == y.usage.params;
    });
}

}  // namespace hacscale::testing
