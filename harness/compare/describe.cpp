#include "harness/compare/describe.hpp"

#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "scaling/analysis/staircase.hpp"
#include "scaling/analysis/utilization.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::harness {

namespace {

records::FrontPoint front_point(const ScalingContext& context, const PlanFront& front, std::size_t index) {
    return {static_cast<double>(front.costs[index]) / picoseconds_per_us,
            static_cast<double>(front.gains[index]) / gain_quanta_per_unit, front.usage[index].params,
            context.choice_at({}, index)};
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
    const PlanFront& front = context.front({});
    const std::size_t count = std::min(front.size(), most);
    std::vector<records::FrontPoint> points;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t index = count < 2 ? i : i * (front.size() - 1) / (count - 1);
        points.push_back(front_point(context, front, index));
    }
    return points;
}

std::vector<records::StaircaseRow> staircase_rows(const StageContext& context, const TableView& view) {
    std::vector<records::StaircaseRow> rows;
    const ModelSpec& base = context.base();
    for (std::size_t i = 0; i < base.stages.size(); ++i) {
        const auto stage = static_cast<int>(i);
        const std::vector<StaircasePoint> points =
            stage_staircase(base, stage, context.stage_space().stages[i].widths, context.source());
        records::StaircaseRow row{stage, stage_name(base, stage), base.stages[i].width, {}, std::nullopt};
        for (const StaircasePoint& point : points) {
            row.points.push_back(step_of(point, view));
        }
        row.free_width = free_width(points, row.base_width, free_tolerance);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<records::LayerRow> layer_rows(const ScalingContext& context, const ScalingChoice& choice,
                                          const TableView& view, const std::string& spec) {
    const MeasuredState& state = view.state();
    // Without a measured peak the latencies still stand; a peak of 1 only lets them be listed.
    const DevicePeak peak =
        view.peak() ? DevicePeak{view.peak()->flops_per_s, view.peak()->bytes_per_s} : DevicePeak{1, 1};
    std::vector<records::LayerRow> rows;
    for (const LayerEfficiency& layer :
         layer_efficiencies(context.network(choice).graph, view.source(), state.batch, state.type, peak)) {
        records::LayerRow row{spec,
                              layer.name,
                              layer.layer.key(),
                              context.part_name(layer.stage),
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
                                                     const ScalingContext& context, const TableView& view) {
    // Of each network, where it is in the answer, from 1; 0: `layers` has it.
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
            networks.push_back({{}, layer_rows(context, *row.choice, view, row.strategy)});
        }
        if (found->second > 0) {
            networks[found->second - 1].strategies.push_back(row.strategy);
        }
    }
    return networks;
}

namespace {

std::optional<UtilizationBasis> basis_of(const TableView& view) {
    if (!view.peak()) {
        return std::nullopt;
    }
    return UtilizationBasis{{view.peak()->flops_per_s, view.peak()->bytes_per_s}, view.state().batch};
}

}  // namespace

records::ContributionsRow contributions_row(const StageContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec) {
    return {std::move(spec), explain(context, choice, budget_us, basis_of(view))};
}

records::ContributionsRow contributions_row(const GraphContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec) {
    return {std::move(spec), explain(context, choice, budget_us, basis_of(view))};
}

namespace {

enum class Standing { worse, equal, better };

// Gains are sums of rounded logarithms; below this they differ by rounding alone.
constexpr double gain_rounding = 1e-6;

// The 0.975 quantile of Student's t with this many degrees of freedom, rounded down to a whole number, which
// makes the interval wider rather than narrower.
double t_quantile(double degrees_of_freedom) {
    constexpr std::array quantiles{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    const double whole = std::floor(degrees_of_freedom);
    if (whole >= static_cast<double>(quantiles.size())) {
        return quantiles.back();
    }
    return quantiles[whole < 1.0 ? 0 : static_cast<std::size_t>(whole) - 1];
}

Standing standing_of(double lead, double noise) {
    return lead > noise ? Standing::better : lead < -noise ? Standing::worse : Standing::equal;
}

// On the logarithm, so that it does not matter which of the two is the base of the ratio.
Standing latency_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    const double noise =
        std::hypot(a.ci95_us.value_or(0.0) / *a.measured_us, b.ci95_us.value_or(0.0) / *b.measured_us);
    return standing_of(std::log(*b.measured_us / *a.measured_us), noise);
}

Standing gain_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    return standing_of(*a.gain - *b.gain, gain_rounding);
}

// Equal, too, where the difference cannot be told from noise because its size is not known.
Standing accuracy_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    if (!a.accuracy || !b.accuracy) {
        return Standing::equal;
    }
    const std::optional<double> noise = difference_half_width(*a.accuracy, *b.accuracy);
    return noise ? standing_of(a.accuracy->mean - b.accuracy->mean, *noise) : Standing::equal;
}

}  // namespace

std::optional<double> difference_half_width(const records::AccuracyFigures& a,
                                            const records::AccuracyFigures& b) {
    if (!a.deviation || !b.deviation) {
        return std::nullopt;
    }
    // Squared standard errors of both means.
    const double first = *a.deviation * *a.deviation / a.seeds;
    const double second = *b.deviation * *b.deviation / b.seeds;
    if (first + second == 0.0) {
        return 0.0;
    }
    const double degrees_of_freedom = (first + second) * (first + second) /
                                      (first * first / (a.seeds - 1) + second * second / (b.seeds - 1));
    return t_quantile(degrees_of_freedom) * std::sqrt(first + second);
}

bool latency_leads(const records::StrategyRow& a, const records::StrategyRow& b) {
    return latency_standing(a, b) == Standing::better;
}

Relation relation(const records::StrategyRow& a, const records::StrategyRow& b) {
    const bool noisy =
        a.status == records::StrategyStatus::noisy || b.status == records::StrategyStatus::noisy;
    if (noisy || !a.measured_us || !b.measured_us || !a.gain || !b.gain) {
        return Relation::none;
    }
    bool better = false;
    bool worse = false;
    for (const Standing standing : {latency_standing(a, b), gain_standing(a, b), accuracy_standing(a, b)}) {
        better = better || standing == Standing::better;
        worse = worse || standing == Standing::worse;
    }
    if (better && worse) {
        return Relation::none;
    }
    return better ? Relation::dominates : worse ? Relation::dominated : Relation::equal;
}

void add_verdict(records::ComparisonRecord& record) {
    std::vector<records::StrategyRow*> rows{&record.base};
    for (records::StrategyRow& row : record.strategies) {
        rows.push_back(&row);
    }
    for (records::StrategyRow* row : rows) {
        row->dominates.clear();
        row->equal_to.clear();
        for (const records::StrategyRow* other : rows) {
            if (other == row) {
                continue;
            }
            const Relation found = relation(*row, *other);
            if (found == Relation::dominates) {
                row->dominates.push_back(other->strategy);
            } else if (found == Relation::equal) {
                row->equal_to.push_back(other->strategy);
            }
        }
    }
}

}  // namespace hacscale::harness
