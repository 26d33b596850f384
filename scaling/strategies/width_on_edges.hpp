// Width only, but each stage's width goes on to the last one before its next latency step: what lies between
// is nearly free. One multiplier for the whole network, so early and late stages grow alike.
#pragma once

#include <vector>

#include "scaling/strategies/path.hpp"

namespace hacscale::rules {

// A rise of a stage's latency by more than this counts as a step.
constexpr double edge_tolerance = 0.01;

// The base, then the multiplier 1 with every stage on its edge, then each further edge when the rounded width
// passes the edge before it. Widths that the table cannot predict are no edges. Ends at 4 times the base's
// widths.
Path edges_path(const ScalingContext& context);

std::vector<Strategy> width_on_edges_strategies();

}  // namespace hacscale::rules
