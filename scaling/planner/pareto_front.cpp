#include "scaling/planner/pareto_front.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "scaling/planner/detail/chain_search.hpp"
#include "scaling/planner/detail/completion.hpp"
#include "scaling/planner/detail/incumbent.hpp"

namespace hacscale {
namespace {

void check(const FrontLimits& limits) {
    if (limits.max_cost < 0 || limits.max_cost > std::int64_t{1} << 52) {
        throw InputError("planner: the largest cost must be within [0, 2^52]");
    }
    if (limits.max_params && *limits.max_params < 0) {
        throw InputError("planner: the cap on params must not be negative");
    }
    if (!(limits.epsilon >= 0.0 && limits.epsilon < 1.0)) {
        throw InputError("planner: epsilon must be within [0, 1)");
    }
}

planner::Search prepare(const ChainProblem& problem, const FrontLimits& limits) {
    planner::Search search;
    search.epsilon = limits.epsilon;
    search.max_bytes = limits.max_bytes;
    search.max_cost = limits.max_cost;
    if (limits.epsilon > 0) {
        search.max_cost +=
            static_cast<std::int64_t>(static_cast<double>(limits.max_cost) * limits.epsilon) + 1;
    }
    // A cap that no choice exceeds is none, and the search without one is faster.
    std::optional<std::int64_t> cap;
    for (const Chain& chain : problem.chains) {
        if (limits.max_params && planner::complete(chain).most_total_params > *limits.max_params)
            cap = limits.max_params;
    }
    if (cap) search.max_params = *cap;
    search.grid = planner::make_grid(search.max_cost);
    search.prices = planner::params_prices(problem, cap);
    search.incumbents = planner::incumbent_gains(problem, search.grid, search.prices, cap);
    return search;
}

}  // namespace

ChainChoice ParetoFront::choice(std::size_t point) const {
    const auto first = choices.begin() + static_cast<std::ptrdiff_t>(point) * (1 + 2 * stages);
    ChainChoice result;
    result.chain = *first;
    result.widths.assign(first + 1, first + 1 + stages);
    result.depths.assign(first + 1 + stages, first + 1 + 2 * stages);
    return result;
}

std::optional<std::size_t> ParetoFront::best_within(std::int64_t cost) const {
    const auto above = std::upper_bound(costs.begin(), costs.end(), cost);
    if (above == costs.begin()) return std::nullopt;
    return static_cast<std::size_t>(above - costs.begin()) - 1;
}

ParetoFront pareto_front(const ChainProblem& problem, const FrontLimits& limits) {
    check(problem);
    check(limits);
    ParetoFront front;
    front.stages = static_cast<int>(problem.chains.front().stages.size());
    const planner::Search search = prepare(problem, limits);
    planner::CompleteChoices found;
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        planner::ChainSearch(problem.chains[c], search, front.statistics)
            .run(static_cast<std::uint16_t>(c), found);
    }
    planner::Labels best = planner::keep_best(found.values, 1, planner::no_cap);
    const std::ptrdiff_t row = 1 + 2 * front.stages;
    front.choices.reserve(best.size() * static_cast<std::size_t>(row));
    for (const planner::Origin& origin : best.origins) {
        const auto first = found.rows.begin() + static_cast<std::ptrdiff_t>(origin.label) * row;
        front.choices.insert(front.choices.end(), first, first + row);
    }
    front.costs = std::move(best.costs);
    front.gains = std::move(best.gains);
    front.params = std::move(best.params);
    return front;
}

}  // namespace hacscale
