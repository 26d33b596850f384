// The families of strategies, one source each, and what they share: a baseline's configurations as a path, and the
// choice of the last one that fits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

// Each call gives the next distinct configuration, the base first; nothing at the end.
using Path = std::function<std::optional<ScalingChoice>()>;

// The last configuration of the path within the budget and the caps.
Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps);

// No path goes further: MACs grown by this factor are beyond any budget a context plans for that still makes
// a model.
constexpr double largest_factor = 128.0;

// ---- multiplier.cpp ----
//
// The baselines that multiply every stage's width, depth, and the resolution by powers of one parameter s:
//     width x s^width, depth x s^depth, resolution x s^resolution
// with depth + 2 width + 2 resolution = 1, so that s is the factor of MACs to first order.

struct Exponents {
    double width = 0.0;
    double depth = 0.0;
    double resolution = 0.0;
};

// All distinct configurations as s grows from 1, found from where each rounding changes rather than by
// stepping s, so none is skipped. `start` comes first with its own values, on the grid or not.
Path multiplier_path(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents);

std::vector<Strategy> multiplier_strategies();

// ---- width_on_edges.cpp ----
//
// Width only, but each width is the last one before its next latency step: widths between steps are nearly
// free. One multiplier for the whole network, so early and late stages grow alike.

// A rise of latency_around_us() by more than this counts as a step.
constexpr double edge_tolerance = 0.01;

// The base, then the multiplier 1 with every width on its edge, then each further edge when the rounded width
// passes the edge before it. Widths that the table cannot predict are no edges. Ends at 4 times the base's
// widths.
Path edges_path(const ScalingContext& context);

std::vector<Strategy> width_on_edges_strategies();

// ---- stepwise.cpp ----
//
// The baselines that enlarge a network step by step over the same space and with the same gain as HACScale, but look one
// step ahead only, greedily or at random; inner widths are derived. And MorphNet's two steps (Gordon et al. 2018, arXiv
// 1711.06798) with importance from outside: the widths that matter least for the latency they take are cut, then all that
// is left is widened uniformly until the budget is met. Where MorphNet finds what to cut by training with a regularizer,
// here the gain says it.

enum class Direction { down, up };

// All neighbours of a choice in a space that are one value further in one dimension: first widths, then
// depths, in order, then the resolution. Widths that are tied take a value together. The choice's values must be in
// the space.
std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ChoiceSpace& space,
                                      Direction direction);

// What is left of the base's latency after the cut.
constexpr double morph_cut = 0.75;

std::vector<Strategy> stepwise_strategies();

// ---- planned.cpp ----
//
// The strategies that choose from the exact front of a plan: HACScale, its variants without one of its
// sources of knowledge or of its dimensions, and importance-aware width scaling, which knows
// params instead of latencies.

std::vector<Strategy> planned_strategies();

}  // namespace hacscale::rules
