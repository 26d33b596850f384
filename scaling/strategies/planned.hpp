// The strategies that choose from the exact front of a plan: HACScale, and HACScale with one of its two
// sources of knowledge taken away.
#pragma once

#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

std::vector<Strategy> planned_strategies();

}  // namespace hacscale::rules
