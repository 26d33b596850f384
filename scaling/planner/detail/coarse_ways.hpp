// Few ways in the place of many, for bounds on partial choices: these need not be exact, and take time in
// proportion to the number of ways.
#pragma once

#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale::planner {

// At most 16. Every feasible way is matched by one with no more cost and params and no less gain; not all of
// them are real.
std::vector<BlockWay> optimistic_ways(const std::vector<BlockWay>& ways);
// At most 16 of the feasible ways themselves.
std::vector<BlockWay> some_ways(const std::vector<BlockWay>& ways);

}  // namespace hacscale::planner
