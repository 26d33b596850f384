#include "scaling/analysis/staircase.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>

#include "base/error.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale {
namespace {

using detail::Fragment;

}  // namespace

StaircasePoint sum_of(int width, const std::vector<const Node*>& nodes, const LatencySource& source) {
    StaircasePoint point;
    point.width = width;
    std::unordered_map<LayerSpec, int, LayerSpecHash> times;
    for (const Node* node : nodes) {
        ++times[node->layer];
        point.macs += cost_of(node->layer, 1, DataType::f32).macs;
        point.params += node->learned_params;
    }
    for (const auto& [layer, count] : times) {
        const LatencyEstimate estimate = source.estimate(layer);
        point.latency_us += count * estimate.latency_us;
        point.ci95_us = std::hypot(point.ci95_us, count * estimate.ci95_us);
        point.noisy = point.noisy || estimate.noisy;
        point.estimate = std::max(point.estimate, estimate.kind);
    }
    if (point.estimate != EstimateKind::measured) {
        point.ci95_us = 0.0;
        point.noisy = false;
    }
    return point;
}

StageView::StageView(const ModelSpec& base, int stage)
    : base_(base), stage_(static_cast<std::size_t>(stage)) {
    if (stage < 0 || stage_ >= base.stages.size()) {
        throw InputError(
            fmt::format("{} has no stage {}; it has {}", base.name, stage + 1, base.stages.size()));
    }
    const std::vector<detail::InputSize> inputs = detail::stage_input_sizes(base, base.resolution);
    own_ = Fragment::of_stage(base, stage_, base.resolution, inputs);
    next_ = is_last() ? Fragment::of_head(base, inputs)
                      : Fragment::of_stage(base, stage_ + 1, base.resolution, inputs);
}

StaircasePoint StageView::at(int width, const LatencySource& source) const {
    const int previous_width = stage_ > 0 ? base_.stages[stage_ - 1].width : 0;
    const auto own = own_.nodes(previous_width, width, base_.stages[stage_].depth);
    const auto next =
        is_last() ? next_.nodes(0, width, 1) : next_.nodes(width, base_.stages[stage_ + 1].width, 1);
    if (!own || !next) {
        throw InputError(fmt::format("{}: width {} makes no valid model",
                                     stage_name(base_, static_cast<int>(stage_)), width));
    }
    std::vector<const Node*> nodes;
    for (const auto* part : {&*own, &*next}) {
        for (const auto& [node, alive] : *part) nodes.push_back(&node);
    }
    return sum_of(width, nodes, source);
}

std::vector<StaircasePoint> stage_staircase(const ModelSpec& base, int stage, const std::vector<int>& widths,
                                            const LatencySource& source) {
    const StageView view(base, stage);
    std::vector<StaircasePoint> points;
    for (const int width : widths) points.push_back(view.at(width, source));
    return points;
}

Extra extra_of(const StaircasePoint& from, const StaircasePoint& to, double tolerance) {
    Extra extra;
    if (from.estimate != EstimateKind::measured || to.estimate != EstimateKind::measured) return extra;
    extra.latency_us = to.latency_us - from.latency_us;
    extra.ci95_us = std::hypot(from.ci95_us, to.ci95_us);
    const double allowed_us = tolerance * from.latency_us;
    if (extra.latency_us <= allowed_us) {
        const bool certain = extra.latency_us + extra.ci95_us <= 3.0 * allowed_us;
        extra.kind = certain ? ExtraKind::none : ExtraKind::unclear;
    } else {
        extra.kind = extra.latency_us > extra.ci95_us ? ExtraKind::measurable : ExtraKind::unclear;
    }
    return extra;
}

int free_width(const std::vector<StaircasePoint>& points, int base_width, double tolerance) {
    const auto base = std::find_if(points.begin(), points.end(),
                                   [&](const StaircasePoint& point) { return point.width == base_width; });
    if (base == points.end()) return base_width;
    const auto widest = std::find_if(
        points.rbegin(), std::make_reverse_iterator(base + 1),
        [&](const auto& point) { return extra_of(*base, point, tolerance).kind == ExtraKind::none; });
    return widest.base() == base + 1 ? base_width : widest->width;
}

std::optional<int> worthwhile_drop(const std::vector<StaircasePoint>& points, int base_width,
                                   double tolerance) {
    const auto base = std::find_if(points.begin(), points.end(),
                                   [&](const StaircasePoint& point) { return point.width == base_width; });
    std::optional<int> best;
    double most_beyond = tolerance;
    for (auto point = points.begin(); base != points.end() && point != base; ++point) {
        if (extra_of(*point, *base, tolerance).kind != ExtraKind::measurable) continue;
        const double time_share = 1.0 - point->latency_us / base->latency_us;
        const double work_share = 1.0 - static_cast<double>(point->macs) /
                                            static_cast<double>(std::max<std::int64_t>(1, base->macs));
        if (time_share - work_share > most_beyond) {
            most_beyond = time_share - work_share;
            best = point->width;
        }
    }
    return best;
}

std::vector<WastefulWidth> wasteful_widths(const std::vector<StaircasePoint>& points, double tolerance) {
    std::vector<WastefulWidth> wasteful;
    const StaircasePoint* before = nullptr;
    for (const StaircasePoint& point : points) {
        if (point.estimate != EstimateKind::measured) continue;
        if (before != nullptr) {
            const Extra extra = extra_of(*before, point, tolerance);
            const int same_latency_up_to = free_width(points, point.width, tolerance);
            if (extra.kind == ExtraKind::measurable && same_latency_up_to > point.width) {
                wasteful.push_back({point.width, before->width, extra, same_latency_up_to});
            }
        }
        before = &point;
    }
    return wasteful;
}

}  // namespace hacscale
