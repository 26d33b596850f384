// Choices near good ones: with one or two of their variables at another value. The best choices at prices leave gaps between their
// costs, which these fill.
#pragma once

#include <cstddef>
#include <vector>

#include "scaling/planner/detail/graph_search.hpp"
#include "scaling/planner/detail/tangents.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

// Adds to `archive` what is better than all it has, near the choices that these tangents touch. Each looks at all single moves and
// at pairs of those that lose the least at its price.
void add_neighbours(const GraphProblem& problem, const std::vector<Tangent>& tangents, Archive& archive);

}  // namespace hacscale::planner
