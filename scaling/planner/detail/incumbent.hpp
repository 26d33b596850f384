// What can surely be reached: for each cost bucket, the gain of some real choice that costs no more than the
// bucket's lower edge and keeps the caps. Partial choices that cannot match it are pruned (thresholds.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/cost_grid.hpp"
#include "scaling/planner/detail/useful_ways.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::planner {

// Prices in gain quanta a parameter. A choice's value is gain - price x params: raising the price steers the
// search towards choices that fit under a cap. Without a cap the only price is 0. Params stand for the other
// needs, too, since all of them rise with width and depth.
std::vector<std::int64_t> params_prices(const ChainProblem& problem, const Caps& caps);

// `ways`: of each chain. One gain a bucket, ascending; minus infinity where nothing is known.
std::vector<double> incumbent_gains(const ChainProblem& problem, const std::vector<UsefulWays>& ways,
                                    const CostGrid& grid, const std::vector<std::int64_t>& prices,
                                    const Caps& caps);

}  // namespace hacscale::planner
