// MorphNet's two steps (Gordon et al. 2018, arXiv 1711.06798) with importance from outside: the widths that
// matter least for the latency they take are cut, then all that is left is widened uniformly until the budget
// is met. Where MorphNet finds what to cut by training with a regularizer, here the gain says it.
#pragma once

#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

// What is left of the base's latency after the cut.
constexpr double morph_cut = 0.75;

std::vector<Strategy> morph_strategies();

}  // namespace hacscale::rules
