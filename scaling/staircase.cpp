#include "scaling/staircase.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/layer_cost.hpp"

namespace hacscale {
namespace {

using detail::Fragment;

void add(StaircasePoint& point, const LayerSpec& layer, std::int64_t params, const LatencySource& source) {
    const LatencyEstimate estimate = source.estimate(layer);
    point.latency_us += estimate.latency_us;
    point.macs += cost_of(layer, 1, DataType::f32).macs;
    point.params += params;
    point.estimate = std::max(point.estimate, estimate.kind);
}

}  // namespace

StageView::StageView(const ModelSpec& base, int stage)
    : base_(base), stage_(static_cast<std::size_t>(stage)) {
    if (stage < 0 || stage_ >= base.stages.size()) {
        throw InputError(
            fmt::format("{} has no stage {}; it has {}", base.name, stage + 1, base.stages.size()));
    }
    const std::vector<int> inputs = detail::stage_input_resolutions(base, base.resolution);
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
        throw InputError(fmt::format("{}: width {} makes no valid model", base_.stages[stage_].name, width));
    }
    StaircasePoint point;
    point.width = width;
    for (const auto& [node, alive] : *own) add(point, node.layer, node.learned_params, source);
    for (const auto& [node, alive] : *next) add(point, node.layer, node.learned_params, source);
    return point;
}

std::vector<StaircasePoint> stage_staircase(const ModelSpec& base, int stage, const std::vector<int>& widths,
                                            const LatencySource& source) {
    const StageView view(base, stage);
    std::vector<StaircasePoint> points;
    for (const int width : widths) points.push_back(view.at(width, source));
    return points;
}

std::vector<StaircasePoint> layer_staircase(const LayerSpec& layer, const std::vector<int>& widths,
                                            const LatencySource& source) {
    const bool keeps_width = layer.depthwise() || layer.kind == LayerKind::max_pool ||
                             layer.kind == LayerKind::global_avg_pool ||
                             layer.kind == LayerKind::squeeze_excite || layer.kind == LayerKind::scale_shift;
    std::vector<StaircasePoint> points;
    for (const int width : widths) {
        LayerSpec changed = layer;
        changed.out_channels = width;
        if (keeps_width) changed.in_channels = width;
        if (layer.depthwise()) changed.groups = width;
        if (const auto fault = fault_of(changed)) {
            throw InputError(fmt::format("{} at width {}: {}", layer.key(), width, *fault));
        }
        StaircasePoint point;
        point.width = width;
        add(point, changed, cost_of(changed, 1, DataType::f32).params, source);
        points.push_back(point);
    }
    return points;
}

int free_width(const std::vector<StaircasePoint>& points, int base_width, double tolerance) {
    const auto base = std::find_if(points.begin(), points.end(),
                                   [&](const StaircasePoint& point) { return point.width == base_width; });
    if (base == points.end() || base->estimate == EstimateKind::missing) return base_width;
    int widest = base_width;
    for (const StaircasePoint& point : points) {
        if (point.estimate == EstimateKind::missing) continue;
        if (point.latency_us <= (1.0 + tolerance) * base->latency_us) widest = std::max(widest, point.width);
    }
    return widest;
}

}  // namespace hacscale
