#include "harness/measure/table_view.hpp"

#include <map>
#include <tuple>

#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/measure_networks.hpp"
#include "scaling/analysis/staircase.hpp"
#include "scaling/analysis/utilization.hpp"
#include "scaling/costs.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::harness {

namespace {

std::int64_t footprint_bytes(const ModelSpec& model, const MeasuredState& state) {
    if (state.cache != CacheState::network) {
        return 0;
    }
    return footprint_bucket(pass_footprint(lower(model), state.batch, state.type));
}

}  // namespace

TableView::TableView(const Table& table, ModelSpec base, const MeasuredState& state)
    : table_(table), base_(std::move(base)), state_(state), peak_(table.peak(state.type)) {
    source_ = std::make_unique<TableLatencySource>(table_, state_.batch, state_.type, state_.cache,
                                                   footprint_bytes(base_, state_));
    std::optional<std::tuple<int, double>> best;
    Layout best_layout = base_.layout;
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        base_.layout = layout;
        const NetworkEstimate known = base_estimate();
        const std::tuple<int, double> order{known.missing_layers, known.latency_us};
        if (!best || order < *best) {
            best = order;
            best_layout = layout;
        }
    }
    base_.layout = best_layout;
}

NetworkEstimate TableView::base_estimate() const {
    return estimate(lower(base_), *source_);
}

std::string TableView::implementation(const LayerSpec& layer) const {
    const std::vector<Row> rows = table_.find_all(layer, state_.batch, state_.type, state_.cache);
    return rows.empty() ? "" : rows.front().implementation;
}

namespace {

records::FrontPoint front_point(const ScalingContext& context, const ParetoFront& front, std::size_t index) {
    return {static_cast<double>(front.costs[index]) / picoseconds_per_us,
            static_cast<double>(front.gains[index]) / gain_quanta_per_unit, front.usage[index].params,
            choice_from(context.space(), front.choice(index))};
}

records::StaircaseStep step_of(const StaircasePoint& point, const TableView& view) {
    records::StaircaseStep step{point.width, {point.latency_us, point.estimate}, std::nullopt, point.params};
    if (view.peak() && point.estimate != EstimateKind::missing && point.latency_us > 0.0) {
        const double flops = 2.0 * static_cast<double>(point.macs) * view.state().batch;
        step.utilization = flops / (point.latency_us * 1e-6 * view.peak()->flops_per_s);
    }
    return step;
}

}  // namespace

std::vector<records::FrontPoint> front_points(const ScalingContext& context, std::size_t most) {
    const ParetoFront& front = context.front({});
    const std::size_t count = std::min(front.size(), most);
    std::vector<records::FrontPoint> points;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t index = count < 2 ? i : i * (front.size() - 1) / (count - 1);
        points.push_back(front_point(context, front, index));
    }
    return points;
}

std::vector<records::StaircaseRow> staircase_rows(const ScalingContext& context, const TableView& view) {
    std::vector<records::StaircaseRow> rows;
    const ModelSpec& base = context.base();
    for (std::size_t i = 0; i < base.stages.size(); ++i) {
        const auto stage = static_cast<int>(i);
        const std::vector<StaircasePoint> points =
            stage_staircase(base, stage, context.space().stages[i].widths, context.source());
        records::StaircaseRow row{stage, stage_name(base, stage), base.stages[i].width, {}, std::nullopt};
        for (const StaircasePoint& point : points) {
            row.points.push_back(step_of(point, view));
        }
        row.free_width = free_width(points, row.base_width, free_tolerance);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<records::LayerRow> layer_rows(const ModelSpec& model, const TableView& view,
                                          const std::string& spec) {
    const MeasuredState& state = view.state();
    // Without a measured peak the latencies still stand; a peak of 1 only lets them be listed.
    const DevicePeak peak =
        view.peak() ? DevicePeak{view.peak()->flops_per_s, view.peak()->bytes_per_s} : DevicePeak{1, 1};
    std::vector<records::LayerRow> rows;
    for (const LayerEfficiency& layer :
         layer_efficiencies(lower(model), view.source(), state.batch, state.type, peak)) {
        records::LayerRow row{spec,
                              layer.name,
                              layer.layer.key(),
                              stage_name(model, layer.stage),
                              layer.block,
                              layer.estimate,
                              layer.macs,
                              layer.bytes,
                              layer.utilization,
                              layer.roofline_efficiency,
                              view.implementation(layer.layer)};
        if (!view.peak()) {
            row.utilization.reset();
            row.roofline_efficiency.reset();
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<records::StrategyLayers> strategy_layers(const records::ComparisonRecord& record,
                                                     const ModelSpec& base, const TableView& view) {
    // Of each network, where it stands in the answer, from 1; 0: `layers` has it.
    std::map<std::string, std::size_t> place{{record.base.model_hash, 0}};
    for (const records::StrategyRow& row : record.strategies) {
        if (row.strategy == "hacscale" && row.choice) {
            place.emplace(row.model_hash, 0);
        }
    }
    std::vector<records::StrategyLayers> networks;
    for (const records::StrategyRow& row : record.strategies) {
        if (!row.choice) {
            continue;
        }
        const auto [found, is_new] = place.emplace(row.model_hash, networks.size() + 1);
        if (is_new) {
            networks.push_back({{}, layer_rows(scaled(base, *row.choice), view, row.strategy)});
        }
        if (found->second > 0) {
            networks[found->second - 1].strategies.push_back(row.strategy);
        }
    }
    return networks;
}

records::ContributionsRow contributions_row(const ScalingContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec) {
    std::optional<UtilizationBasis> basis;
    if (view.peak()) {
        basis = {{view.peak()->flops_per_s, view.peak()->bytes_per_s}, view.state().batch};
    }
    return {std::move(spec), explain(context, choice, budget_us, basis)};
}

}  // namespace hacscale::harness
