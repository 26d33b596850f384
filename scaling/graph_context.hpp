// A network of any shape as a context: a choice has one width for each of its channel groups and one depth for each of its repeats
// whose blocks may be more or fewer. The planner is that of graphs (planner/graph_front.hpp), the gain that of graph_gain.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/graph/network.hpp"
#include "scaling/context.hpp"
#include "scaling/graph_costs.hpp"
#include "scaling/graph_gain.hpp"
#include "scaling/graph_space.hpp"
#include "scaling/planner/graph_front.hpp"

namespace hacscale {

class GraphContext : public ScalingContext {
public:
    // `source` must outlive this. The grid and ratios of `space` are not looked at: those of settings.space count. Throws InputError
    // when the settings do not fit the base, for names that it does not have, for a cap on memory, for a gain of stages, and when
    // the source lacks a layer of the base.
    GraphContext(Network base, const LatencySource& source, const ScalingSettings& settings,
                 GraphSpaceSettings space = {}, GainOrigin gain = GainOrigin::balanced);

    const Network& base() const { return base_; }
    const GraphSpace& graph_space(SearchDimensions dimensions = SearchDimensions::all) const;
    const GraphCosts& costs(CostModel cost, SearchDimensions dimensions = SearchDimensions::all) const;
    // The widths and depths of all groups and repeats. InputError when the choice does not have one value for each dimension.
    GraphChoice graph_choice(const ScalingChoice& choice) const;

    const std::string& name() const override { return base_.name; }
    const LatencySource& source() const override { return source_; }
    GainOrigin gain_origin() const override { return origin_; }
    const ChoiceSpace& space(SearchDimensions dimensions = SearchDimensions::all) const override;
    std::optional<Evaluation> evaluate(const ScalingChoice& choice) const override;
    Network network(const ScalingChoice& choice) const override;
    std::string model_text(const ScalingChoice&) const override { return ""; }
    std::string part_name(int) const override { return base_.name; }
    double epsilon() const override;
    double gain_gap(std::int64_t latency_ps) const override;
    std::optional<double> latency_around_us(std::size_t width, int value) const override;
    const GraphFront& front(const PlanKind& kind) const override;
    ScalingChoice choice_at(const PlanKind& kind, std::size_t point) const override;
    std::optional<std::int64_t> min_latency_ps(SearchDimensions dimensions) const override;
    std::int64_t latency_ps_at(const PlanKind& kind, std::size_t point) const override;
    std::optional<std::int64_t> min_usage(Resource resource, std::int64_t max_latency_ps) const override;
    const CostCoverage& coverage() const override { return costs(CostModel::latency).coverage; }
    std::int64_t lookups() const override;

private:
    struct Space {
        GraphSpace graph;
        ChoiceSpace choices;
    };
    ChoiceSpace choices_of(const GraphSpace& space) const;
    ScalingChoice scaling_choice(const GraphChoice& choice) const;
    GraphCosts with_gains(const PlanKind& kind) const;

    Network base_;
    const LatencySource& source_;
    std::map<SearchDimensions, Space> spaces_;
    std::vector<std::size_t> open_repeats_;  // whose number of blocks may change
    GainOrigin origin_;
    GraphCoefficients coefficients_;
    GraphGain gain_;  // by these
    mutable std::map<std::pair<CostModel, SearchDimensions>, GraphCosts> costs_;
    mutable std::map<PlanKind, GraphFront> fronts_;
};

}  // namespace hacscale
