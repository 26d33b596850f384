// The strategies that choose from the exact front of a plan: HACScale, what is left of it when one of its
// sources of knowledge or of its dimensions is taken away, and importance-aware width scaling, which knows
// params instead of latencies.
#pragma once

#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

std::vector<Strategy> planned_strategies();

}  // namespace hacscale::rules
