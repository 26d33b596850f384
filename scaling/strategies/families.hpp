// The families of strategies, one source each, and what they share: a baseline's configurations as a path, and the
// choice of the one that fits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

// Which way a path goes from the base, and a step from a network.
enum class Direction { down, up };

// Each call gives the next distinct configuration, the base first; nothing at the end.
using Path = std::function<std::optional<ScalingChoice>()>;

// What may be chosen: predicted, within the budget and the caps.
class Limits {
public:
    Limits(const ScalingContext& context, std::int64_t budget_ps)
        : caps_(context.settings().caps), limit_ps_(budget_ps + budget_slack_ps) {}

    bool admit(const Evaluation& network) const {
        return network.complete() && network.latency_ps <= limit_ps_ && caps_.admit(network.usage);
    }
    // Whether its latency alone would rule it out.
    bool over_budget(const Evaluation& network) const {
        return network.complete() && network.latency_ps > limit_ps_;
    }

private:
    const Caps& caps_;
    std::int64_t limit_ps_;
};

// The last configuration of a growing path within the budget and the caps.
Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps);
// The first one of a shrinking path.
Fit first_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps);
// Where the base is within the budget and the caps, the last one of the growing path, else the first one of the
// shrinking path.
Fit along(const ScalingContext& context, const std::function<Path(Direction)>& path_to,
          std::int64_t budget_ps);

// Why a strategy has nothing within the budget and the caps, with the least latency that it reaches within the
// caps, where that is known.
std::string why_nothing_fits(const ScalingContext& context, std::int64_t budget_ps,
                             std::optional<std::int64_t> least_ps);

// No path goes further: MACs grown or shrunk by these factors are beyond any budget a context plans for that
// still makes a model.
constexpr double largest_factor = 128.0;
constexpr double smallest_factor = 1.0 / 4096.0;

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

// All distinct configurations as s grows, or falls, from 1, found from where each rounding changes rather than
// by stepping s, so none is skipped. `start` comes first with its own values, on the grid or not. Falling, no
// width gets below one step, and one block stays.
Path multiplier_path(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents,
                     Direction direction = Direction::up);

std::vector<Strategy> multiplier_strategies();

// ---- width_on_edges.cpp ----
//
// Width only, but each width is the last one before its next latency step: widths between steps are nearly
// free. One multiplier for the whole network, so early and late stages grow alike.

// A rise of latency_around_us() by more than this counts as a step.
constexpr double edge_tolerance = 0.01;

// The base, then the multiplier 1 with every width on its edge, then each further edge when the rounded width
// passes the edge before it; or, going down, each edge below when the rounded width comes to it. Widths that the
// table cannot predict are no edges. Ends at 4 times the base's widths, or at one step.
Path edges_path(const ScalingContext& context, Direction direction = Direction::up);

std::vector<Strategy> width_on_edges_strategies();

// ---- stepwise.cpp ----
//
// The baselines that change a network step by step in the same space and with the same gain as HACScale, but look one
// step ahead only, greedily or at random; inner widths are derived. Greedy steps down are NetAdapt's (Yang et al. 2018,
// arXiv 1804.03230): of each dimension the nearest value that saves enough latency is tried, and the one that loses least
// for the latency saved is taken, until the budget is met; where NetAdapt fine-tunes each candidate briefly, here the gain
// says what it loses. And MorphNet's two steps (Gordon et al. 2018, arXiv 1711.06798) with importance from outside: the
// widths that matter least for the latency they take are cut, then all that is left is widened uniformly until the budget
// is met. Where MorphNet finds what to cut by training with a regularizer, here the gain says it.

// All neighbours of a choice in a space that are one value further in one dimension: first widths, then
// depths, in order, then the resolution. Widths that are tied take a value together. The choice's values must be in
// the space.
std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ChoiceSpace& space,
                                      Direction direction);

// What is left of the base's latency, or of a lower budget, after the cut.
constexpr double morph_cut = 0.75;
// What a greedy step down saves at the least, of the base's latency: less than a step of most staircases, so that
// none is skipped, and enough to get past widths that cost the same.
constexpr double least_saving = 0.01;

std::vector<Strategy> stepwise_strategies();

// ---- pruning.cpp ----
//
// The ways in which networks are usually made smaller, by channels alone: what is left of a width is rounded to its
// step, depths and the resolution stay. L1 and Taylor pruning rank all channels of the network by importance (L1 norms of
// filters, Li et al. 2017, over their mean in the layer, so that layers compare; the Taylor term of Molchanov et al. 2019
// as it is) and remove the least important ones first. HALP (Shen et al. 2021, arXiv 2110.10811) solves a knapsack: it
// maximizes the sum of what each width is worth under the sum of what each width costs in the latency table, each looked
// up with its neighbours at the base's widths.

std::vector<Strategy> pruning_strategies();

// ---- planned.cpp ----
//
// The strategies that choose from the exact front of a plan: HACScale, its variants without one of its
// sources of knowledge or of its dimensions, and importance-aware width scaling, which knows
// params instead of latencies.

std::vector<Strategy> planned_strategies();

}  // namespace hacscale::rules
