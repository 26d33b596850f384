// Good choices where a problem is too wide to be solved as a whole: exact fronts over windows of some variables, with all others
// held at the values of a choice that is known, window after window and from several choices, as long as that brings something
// new.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "scaling/planner/detail/graph_search.hpp"
#include "scaling/planner/detail/price_rows.hpp"
#include "scaling/planner/graph_problem.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::planner {

// A problem with some variables held.
struct HeldProblem {
    GraphProblem problem;
    std::vector<int> free;  // of each of its variables, which one of the whole problem it is
};

// Nothing when the held values are infeasible on their own. What free variables determine must be free.
std::optional<HeldProblem> hold(const GraphProblem& problem, const Assignment& choice,
                                const std::vector<bool>& free);

// Gives the front of a small problem.
using SolveWindow = std::function<std::vector<Archive::Point>(const GraphProblem&, const FrontLimits&)>;

// Starts from the best choices at the prices of `bounds`, and what `archive` has. Goes through all windows at most `rounds` times.
void search_windows(const GraphProblem& problem, const FrontLimits& limits, int rounds,
                    const PriceBounds& bounds, const SolveWindow& solve, Archive& archive);

}  // namespace hacscale::planner
