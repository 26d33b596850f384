// What can surely be reached: for each cost bucket, the gain of some real choice that costs no more than the
// bucket's lower edge. Partial choices that cannot match it are pruned (thresholds.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/cost_grid.hpp"

namespace hacscale::planner {

// Prices in gain quanta a parameter. A choice's value is gain - price x params: raising the price steers the
// search towards choices that fit under a cap on params. Without a cap the only price is 0.
std::vector<std::int64_t> params_prices(const ChainProblem& problem,
                                        const std::optional<std::int64_t>& max_params);

// One gain a bucket, ascending; minus infinity where nothing is known.
std::vector<double> incumbent_gains(const ChainProblem& problem, const CostGrid& grid,
                                    const std::vector<std::int64_t>& prices,
                                    const std::optional<std::int64_t>& max_params);

}  // namespace hacscale::planner
