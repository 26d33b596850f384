// The baselines that enlarge a network step by step over the same space and with the same gain as HACScale,
// but look one step ahead only: greedily, and at random. Inner widths follow.
#pragma once

#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

std::vector<Strategy> stepwise_strategies();

}  // namespace hacscale::rules
