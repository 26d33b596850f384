#include "scaling/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "scaling/budget.hpp"

namespace hacscale {
namespace {

void check(const ScalingSettings& settings) {
    constexpr double largest = planning_reserve * max_budget;
    if (!(settings.max_budget >= min_budget && settings.max_budget <= largest)) {
        throw InputError(fmt::format("the largest budget is {}, expected {} to {} base latencies",
                                     settings.max_budget, min_budget, largest));
    }
    const auto check_cap = [](const std::optional<std::int64_t>& cap, const char* what) {
        if (cap && *cap < 1) {
            throw InputError(fmt::format("the cap on {} is {}, expected at least 1", what, *cap));
        }
    };
    check_cap(settings.caps.params, "params");
    check_cap(settings.caps.macs, "MACs");
    check_cap(settings.caps.memory_bytes, "memory");
}

void check_scores(const std::optional<ChannelScores>& scores, const ScalingChoice& base, const char* what) {
    if (!scores) return;
    if (scores->widths.size() != base.widths.size()) {
        throw InputError(fmt::format("the {} scores are of {} widths, but the network has {}", what,
                                     scores->widths.size(), base.widths.size()));
    }
    for (std::size_t i = 0; i < base.widths.size(); ++i) {
        const std::vector<double>& channels = scores->widths[i];
        if (!channels.empty() && std::ssize(channels) != base.widths[i]) {
            throw InputError(
                fmt::format("width {} has {} {} scores, but {} channels; give one score a channel", i + 1,
                            channels.size(), what, base.widths[i]));
        }
        const auto is_score = [](double score) { return std::isfinite(score) && score >= 0.0; };
        if (!std::all_of(channels.begin(), channels.end(), is_score)) {
            throw InputError(
                fmt::format("width {} has an {} score that is negative or not finite; scores are magnitudes",
                            i + 1, what));
        }
    }
}

bool has(const std::vector<int>& values, int value) {
    return std::binary_search(values.begin(), values.end(), value);
}

}  // namespace

ScalingChoice ChoiceSpace::with_width(ScalingChoice choice, std::size_t width, int value) const {
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (widths[i].leader == width) choice.widths[i] = value;
    }
    return choice;
}

bool ChoiceSpace::contains(const ScalingChoice& choice) const {
    if (choice.widths.size() != widths.size() || choice.depths.size() != depths.size()) return false;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (!has(widths[i].values, choice.widths[i])) return false;
    }
    for (std::size_t i = 0; i < depths.size(); ++i) {
        if (!has(depths[i].values, choice.depths[i])) return false;
    }
    return has(resolutions, choice.resolution);
}

ScalingContext::ScalingContext(const ScalingSettings& settings) : settings_(settings) {
    check(settings_);
    settings_.space = for_budget(settings_.space, settings_.max_budget);
}

Evaluation evaluation_of(const Graph& network, const LatencySource& source, const ScalingSettings& settings) {
    Evaluation result;
    result.usage = {network.params(), network.macs(), network.weight_bytes(settings.type),
                    network.peak_activation_bytes(settings.batch, settings.type)};
    for (const Node& node : network.nodes) {
        const LatencyEstimate estimate = source.estimate(node.layer);
        if (estimate.kind == EstimateKind::missing) {
            if (result.missing_layers++ == 0) result.first_missing = layer_text(node.name, node.layer);
            continue;
        }
        result.interpolated_layers += estimate.kind == EstimateKind::interpolated ? 1 : 0;
        result.latency_ps += picoseconds(estimate.latency_us);
    }
    return result;
}

void ScalingContext::set_base(Evaluation base) {
    if (!base.complete()) {
        throw InputError(
            fmt::format("the table lacks {} of the layers of {}, {} among them; profile it first",
                        base.missing_layers, name(), base.first_missing));
    }
    check_scores(settings_.l1_scores, base.choice, "L1");
    check_scores(settings_.taylor_scores, base.choice, "Taylor");
    base_evaluation_ = std::move(base);
}

FrontLimits ScalingContext::latency_limits() const {
    const double most = settings_.max_budget * static_cast<double>(base_evaluation_.latency_ps);
    FrontLimits limits;
    limits.max_cost = static_cast<std::int64_t>(std::ceil(most)) + budget_slack_ps;
    limits.caps = settings_.caps;
    limits.epsilon = epsilon();
    return limits;
}

double ScalingContext::budget_us(double ratio) const {
    check_budget(ratio);
    if (ratio > settings_.max_budget) {
        throw InputError(fmt::format("the latency budget is {}, above the largest planned for, {}", ratio,
                                     settings_.max_budget));
    }
    return ratio * base_evaluation_.latency_us();
}

}  // namespace hacscale
