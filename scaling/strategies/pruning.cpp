#include "scaling/strategies/families.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "scaling/planner/pareto_front.hpp"

namespace hacscale::rules {
namespace {

bool may_be_pruned(const ChoiceSpace& space, std::size_t width) {
    return space.is_free(width) && !space.widths[width].given;
}

Fit base_stays(const ScalingContext& context) {
    Fit fit = base_fit(context);
    fit.reason = "pruning only makes networks smaller, and the base is within the budget";
    return fit;
}

// ---- The least important channels first ----

struct Channel {
    double score = 0.0;
    std::size_t width = 0;
};

// The configurations that come about as channels are removed one by one, those of least score first; the base
// comes first.
class PruningPath {
public:
    PruningPath(const ScalingContext& context, const ChannelScores& scores, bool over_mean)
        : space_(context.space()), choice_(context.base_choice()), kept_(choice_.widths) {
        for (std::size_t i = 0; i < space_.widths.size(); ++i) {
            if (!may_be_pruned(space_, i)) continue;
            std::vector<double> channels = scores_of(i, scores);
            if (over_mean) divide_by_mean(channels);
            for (const double score : channels) channels_.push_back({score, i});
        }
        std::stable_sort(channels_.begin(), channels_.end(),
                         [](const Channel& a, const Channel& b) { return a.score < b.score; });
    }

    std::optional<ScalingChoice> next() {
        if (!std::exchange(started_, true)) return choice_;
        while (removed_ < channels_.size()) {
            const std::size_t width = channels_[removed_++].width;
            const int step = space_.widths[width].step;
            const int rounded = std::max(1, (--kept_[width] + step / 2) / step) * step;
            if (rounded >= choice_.widths[width]) continue;
            choice_ = space_.with_width(std::move(choice_), width, rounded);
            return choice_;
        }
        return std::nullopt;
    }

private:
    // Of the width and of those that are tied to it together.
    std::vector<double> scores_of(std::size_t width, const ChannelScores& scores) const {
        std::vector<double> sums(static_cast<std::size_t>(choice_.widths[width]), 0.0);
        for (std::size_t i = 0; i < space_.widths.size(); ++i) {
            if (space_.widths[i].leader != width) continue;
            for (std::size_t channel = 0; channel < scores.widths[i].size(); ++channel) {
                sums[channel] += scores.widths[i][channel];
            }
        }
        return sums;
    }

    static void divide_by_mean(std::vector<double>& scores) {
        const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
        if (sum <= 0.0) return;
        for (double& score : scores) score *= static_cast<double>(scores.size()) / sum;
    }

    const ChoiceSpace& space_;
    ScalingChoice choice_;
    std::vector<int> kept_;  // channels of each width
    std::vector<Channel> channels_;
    std::size_t removed_ = 0;
    bool started_ = false;
};

Fit prune(const ScalingContext& context, std::int64_t budget_ps, const std::optional<ChannelScores>& scores,
          const char* name, bool over_mean) {
    if (Limits(context, budget_ps).admit(context.base_evaluation())) return base_stays(context);
    if (!scores) {
        Fit fit;
        fit.reason = fmt::format(
            "{} scores of the channels are not known; give the base with its weights, or a file of scores",
            name);
        return fit;
    }
    PruningPath path(context, *scores, over_mean);
    return first_within(
        context, [&path] { return path.next(); }, budget_ps);
}

Fit l1_pruning(const ScalingContext& context, std::int64_t budget_ps) {
    return prune(context, budget_ps, context.settings().l1_scores, "L1", true);
}

Fit taylor_pruning(const ScalingContext& context, std::int64_t budget_ps) {
    return prune(context, budget_ps, context.settings().taylor_scores, "Taylor", false);
}

// ---- HALP's knapsack ----

// What one width may be, with all others at the base's: latency less the base's, and gain.
struct Item {
    int width = 0;
    std::int64_t latency_ps = 0;
    std::int64_t gain = 0;  // quanta
};

class Knapsack {
public:
    explicit Knapsack(const ScalingContext& context) : context_(context) {
        const ChoiceSpace& space = context.space(SearchDimensions::widths);
        Chain chain;
        int before = 1;
        for (std::size_t i = 0; i < space.widths.size(); ++i) {
            if (!may_be_pruned(space, i)) continue;
            widths_.push_back(i);
            items_.push_back(items_of(space, i));
            chain.stages.push_back(stage_of(items_.back(), before));
            before = static_cast<int>(items_.back().size());
        }
        if (chain.stages.empty()) return;
        FrontLimits limits;
        for (const ChainStage& stage : chain.stages) limits.max_cost += max_cost(stage);
        front_ = pareto_front({{std::move(chain)}}, limits);
    }

    std::size_t size() const { return front_.size(); }
    // The network that the knapsack's point makes.
    ScalingChoice choice(std::size_t point) const {
        const ChainChoice indices = front_.choice(point);
        ScalingChoice choice = context_.base_choice();
        for (std::size_t i = 0; i < widths_.size(); ++i) {
            const Item& item = items_[i][static_cast<std::size_t>(indices.widths[i])];
            choice = context_.space().with_width(std::move(choice), widths_[i], item.width);
        }
        return choice;
    }

private:
    // The base's own width last.
    std::vector<Item> items_of(const ChoiceSpace& space, std::size_t width) const {
        const Evaluation& base = context_.base_evaluation();
        const int own = base.choice.widths[width];
        std::vector<Item> items;
        for (const int value : space.widths[width].values) {
            if (value >= own) break;
            const auto one = context_.evaluate(space.with_width(base.choice, width, value));
            if (!one || !one->complete() || !one->gain) continue;
            items.push_back(
                {value, one->latency_ps - base.latency_ps, std::llround(*one->gain * gain_quanta_per_unit)});
        }
        items.push_back({own, 0, 0});
        return items;
    }

    // A stage of the planner in which nothing depends on the width before. Costs are above that of the cheapest.
    static ChainStage stage_of(const std::vector<Item>& items, int before) {
        ChainStage stage = make_stage(before, static_cast<int>(items.size()), {1});
        const auto cheapest = std::min_element(items.begin(), items.end(), [](const Item& a, const Item& b) {
            return a.latency_ps < b.latency_ps;
        });
        for (int w = 0; w < stage.widths; ++w) {
            const Item& item = items[static_cast<std::size_t>(w)];
            for (int p = 0; p < before; ++p) {
                stage.first[stage.first_at(p, w)] = {{item.latency_ps - cheapest->latency_ps, item.gain, {}}};
            }
        }
        return stage;
    }

    static std::int64_t max_cost(const ChainStage& stage) {
        std::int64_t most = 0;
        for (const std::vector<BlockOption>& options : stage.first)
            most = std::max(most, options.front().cost);
        return most;
    }

    const ScalingContext& context_;
    std::vector<std::size_t> widths_;
    std::vector<std::vector<Item>> items_;  // of each of them
    ParetoFront front_;
};

// What the knapsack takes a network to cost is not what it costs once neighbours change too. So its own budget is
// searched by bisection: the last network of its front that is within the budget.
Fit halp(const ScalingContext& context, std::int64_t budget_ps) {
    const Limits limits(context, budget_ps);
    if (limits.admit(context.base_evaluation())) return base_stays(context);
    const Knapsack knapsack(context);
    Fit fit;
    std::optional<std::int64_t> least_ps;
    // Whether the point is within the limits; then it is kept.
    const auto fits = [&](std::size_t point) {
        const std::optional<Evaluation> network = context.evaluate(knapsack.choice(point));
        if (!network || !network->complete()) return false;
        least_ps = std::min(least_ps.value_or(network->latency_ps), network->latency_ps);
        if (!limits.admit(*network)) {
            if (limits.over_budget(*network)) fit.next_us = network->latency_us();
            return false;
        }
        fit.status = FitStatus::ok;
        fit.result = *network;
        return true;
    };
    if (knapsack.size() == 0 || !fits(0)) {
        fit.next_us.reset();
        fit.reason = why_nothing_fits(context, budget_ps, least_ps);
        return fit;
    }
    std::size_t within = 0;
    std::size_t beyond = knapsack.size();
    while (beyond - within > 1) {
        const std::size_t middle = within + (beyond - within) / 2;
        (fits(middle) ? within : beyond) = middle;
    }
    return fit;
}

}  // namespace

std::vector<Strategy> pruning_strategies() {
    return {
        {"l1-pruning", "channels of least L1 norm removed, over all layers",
         "norm / mean of its layer, ascending", l1_pruning, true},
        {"taylor-pruning", "channels of least Taylor importance removed, over all layers",
         "(gamma dL/dgamma + beta dL/dbeta)^2, ascending", taylor_pruning, true},
        {"halp", "HALP's knapsack: widths by latencies with neighbours held at the base's",
         "max sum of gains, sum of latencies looked up apart <= budget", halp, true},
    };
}

}  // namespace hacscale::rules
