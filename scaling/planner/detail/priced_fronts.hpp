// Good choices under caps: those that keep the caps on the fronts, without caps, of problems in which what is capped has a price
// (Everett 1963). At a price, choices of some cost use about as much as the caps admit; so several prices cover all costs.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "scaling/planner/detail/graph_search.hpp"
#include "scaling/planner/detail/tangents.hpp"
#include "scaling/planner/graph_problem.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::planner {

// No choice uses more; of params and MACs.
ResourceUsage most_usage(const GraphProblem& problem);

// The choices on the front of a problem without caps.
using SolveFront = std::function<std::vector<Assignment>(const GraphProblem&, const FrontLimits&)>;

// The prices are those of tangents whose best choices just keep the caps; at most `count` of them, spread evenly over costs.
void search_priced(const GraphProblem& problem, const FrontLimits& limits, std::size_t count,
                   const std::vector<Tangent>& tangents, const SolveFront& solve, Archive& archive);

}  // namespace hacscale::planner
