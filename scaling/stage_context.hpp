// A model's stages as a context: a choice has one width and one depth a stage, and inner widths of blocks where
// they are free. The planner is the exact one of chains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/stages/model_spec.hpp"
#include "scaling/analysis/staircase.hpp"
#include "scaling/context.hpp"
#include "scaling/costs.hpp"

namespace hacscale {

class StageContext : public ScalingContext {
public:
    // `source` must outlive this. Throws InputError when the settings do not fit the base, or the source
    // lacks a layer of the base.
    StageContext(ModelSpec base, const LatencySource& source, const ScalingSettings& settings, Gain gain);

    const ModelSpec& base() const { return base_; }
    const Gain& gain() const { return gain_; }
    // The values of stages and inner widths; space() has what strategies read of them.
    const ScalingSpace& stage_space(SearchDimensions dimensions = SearchDimensions::all) const;
    // The cost tables that fronts are made from; their coverage says how much of them is measured.
    const StageCosts& costs(CostModel cost, SearchDimensions dimensions = SearchDimensions::all) const;

    const std::string& name() const override { return base_.name; }
    const LatencySource& source() const override { return source_; }
    GainOrigin gain_origin() const override { return gain_.origin; }
    const ChoiceSpace& space(SearchDimensions dimensions = SearchDimensions::all) const override;
    std::optional<Evaluation> evaluate(const ScalingChoice& choice) const override;
    Network network(const ScalingChoice& choice) const override;
    std::string model_text(const ScalingChoice& choice) const override;
    std::string part_name(int stage) const override { return stage_name(base_, stage); }
    std::optional<double> latency_around_us(std::size_t width, int value) const override;
    double epsilon() const override;
    double gain_gap(std::int64_t) const override { return 0.0; }
    // Indices in the front's choices are those of stage_space(kind.dimensions).
    const ParetoFront& front(const PlanKind& kind) const override;
    ScalingChoice choice_at(const PlanKind& kind, std::size_t point) const override;
    std::int64_t latency_ps_at(const PlanKind& kind, std::size_t point) const override;
    std::optional<std::int64_t> min_usage(Resource resource, std::int64_t max_latency_ps) const override;
    std::optional<std::int64_t> min_latency_ps(SearchDimensions dimensions) const override;
    const CostCoverage& coverage() const override { return costs(CostModel::latency).coverage; }
    std::int64_t lookups() const override;

private:
    struct Space {
        ScalingSpace stages;
        ChoiceSpace choices;
    };

    ModelSpec base_;
    const LatencySource& source_;
    std::map<SearchDimensions, Space> spaces_;
    Gain gain_;
    mutable std::map<std::pair<CostModel, SearchDimensions>, StageCosts> costs_;
    mutable std::map<PlanKind, ParetoFront> fronts_;
    mutable std::map<std::size_t, StageView> views_;  // by stage
};

}  // namespace hacscale
