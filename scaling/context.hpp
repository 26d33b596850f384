// Everything a strategy is judged by: the base, the device's latencies, the space, the gain, and the limits.
// Plans are made when first asked for and kept, so that fitting to another budget is cheap.
// Thread-compatible: one context a thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "models/graph/latency_source.hpp"
#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/costs.hpp"
#include "scaling/gain.hpp"
#include "scaling/planner/pareto_front.hpp"
#include "scaling/space.hpp"

namespace hacscale {

// Plans in which inner widths are chosen too have this bound, others none: exact ones would take minutes.
constexpr double open_inner_epsilon = 0.001;

struct ScalingSettings {
    SpaceSettings space;
    double max_budget =
        2.0;    // the largest latency budget that will be asked for, in base latencies, 1 to 100
    Caps caps;  // on what plans may use
    std::optional<double> epsilon{};  // of plans, see FrontLimits; nothing: open_inner_epsilon or 0
    // Of the activations and weights that count as memory.
    int batch = 1;
    DataType type = DataType::f32;
};

// Budgets are compared with this much slack, so that a budget computed from a sum of microseconds admits the
// very sum it was computed from: rounding each of a thousand layers to a picosecond adds up to half of it.
constexpr std::int64_t budget_slack_ps = 1000;

// One choice and all that is known of it without a device.
struct Evaluation {
    ScalingChoice choice;
    std::int64_t latency_ps = 0;  // of layers that are not missing
    std::optional<double> gain;   // nothing when the resolution's worth is not known
    ResourceUsage usage;
    int interpolated_layers = 0;
    int missing_layers = 0;
    std::string first_missing;

    double latency_us() const { return static_cast<double>(latency_ps) / picoseconds_per_us; }
    bool complete() const { return missing_layers == 0; }
};

enum class GainWeights {
    given,  // the context's gain
    equal,  // equal_gain()
};

// What a plan is made from.
struct PlanKind {
    CostModel cost = CostModel::latency;
    GainWeights weights = GainWeights::given;
    SearchDimensions dimensions = SearchDimensions::all;
    auto operator<=>(const PlanKind&) const = default;
};

class ScalingContext {
public:
    // `source` must outlive this. Throws InputError when the settings do not fit the base, or the source
    // lacks a layer of the base: without its latency there is no budget.
    ScalingContext(ModelSpec base, const LatencySource& source, const ScalingSettings& settings, Gain gain);

    const ModelSpec& base() const { return base_; }
    const ScalingSettings& settings() const { return settings_; }
    const ScalingSpace& space(SearchDimensions dimensions = SearchDimensions::all) const;
    const Gain& gain() const { return gain_; }
    const LatencySource& source() const { return source_; }
    // How far plans may be from exact: no network within budget / (1 + epsilon) gains more than the plan's
    // for the budget. 0: plans are exact.
    double epsilon() const;
    const Evaluation& base_evaluation() const { return base_evaluation_; }

    // A budget in microseconds from one in base latencies. Throws InputError below 1 (the base itself would
    // not fit) and above settings().max_budget.
    double budget_us(double ratio) const;

    // Nothing when the choice makes no valid model.
    std::optional<Evaluation> evaluate(const ScalingChoice& choice) const;

    // Latency fronts reach to max_budget; fronts by MACs or params cover the whole space. Indices in their
    // choices are those of space(kind.dimensions).
    const ParetoFront& front(const PlanKind& kind) const;
    // The cost tables that fronts are made from; their coverage says how much of them is measured.
    const StageCosts& costs(CostModel cost, SearchDimensions dimensions = SearchDimensions::all) const;

private:
    ModelSpec base_;
    const LatencySource& source_;
    ScalingSettings settings_;
    std::map<SearchDimensions, ScalingSpace> spaces_;
    Gain gain_;
    Evaluation base_evaluation_;
    mutable std::map<std::pair<CostModel, SearchDimensions>, StageCosts> costs_;
    mutable std::map<PlanKind, ParetoFront> fronts_;
};

}  // namespace hacscale
