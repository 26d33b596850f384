// Everything a strategy is judged by: the base, the device's latencies, the dimensions that may be chosen, the
// gain, and the limits. Strategies know a network through this interface alone, so that they scale whatever
// network implements it: one of stages (StageContext), where a choice has one width and one depth a stage.
//
// A choice has one width for each of space().widths, one depth for each of space().depths, and a resolution.
// Plans are made when first asked for and kept, so that fitting to another budget is cheap.
// Thread-compatible: one context a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/graph/network.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/cost_model.hpp"
#include "scaling/gain.hpp"
#include "scaling/planner/pareto_front.hpp"
#include "scaling/space.hpp"

namespace hacscale {

// Plans in which inner widths are chosen too have this bound, others none: exact ones would take minutes.
constexpr double open_inner_epsilon = 0.001;

// The importance of each channel by one criterion: for each width of a choice one score a channel of the base, in
// any order. Of widths that are tied, each may have scores of its own, which add up channel by channel; an empty
// list adds nothing.
struct ChannelScores {
    std::vector<std::vector<double>> widths;
};

struct ScalingSettings {
    SpaceSettings space;  // ratios that are not given are those for max_budget
    // The largest latency budget that will be asked for, in base latencies, min_budget to planning_reserve x
    // max_budget (scaling/budget.hpp).
    double max_budget = 2.0;
    Caps caps;                        // on what plans may use
    std::optional<double> epsilon{};  // of plans, see FrontLimits; nothing: open_inner_epsilon or 0
    // Of the activations and weights that count as memory.
    int batch = 1;
    DataType type = DataType::f32;
    // What pruning ranks channels by; nothing: not known.
    std::optional<ChannelScores> l1_scores{};
    std::optional<ChannelScores> taylor_scores{};
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
    std::string first_missing;  // layer_text() of the first one

    double latency_us() const { return static_cast<double>(latency_ps) / picoseconds_per_us; }
    bool complete() const { return missing_layers == 0; }
};

// Usage and latency of a network; choice and gain are left to the caller.
Evaluation evaluation_of(const Graph& network, const LatencySource& source, const ScalingSettings& settings);

enum class GainWeights {
    given,  // the context's gain
    equal,  // the mean of the context's network in every dimension
};

// What a plan is made from.
struct PlanKind {
    CostModel cost = CostModel::latency;
    GainWeights weights = GainWeights::given;
    SearchDimensions dimensions = SearchDimensions::all;
    auto operator<=>(const PlanKind&) const = default;
};

// One width of a choice.
struct WidthDimension {
    std::string name;         // of a stage or a channel group
    std::vector<int> values;  // that may be chosen, ascending, the base's among them
    int step = 1;             // between the multiples that widths are rounded to
    bool given = false;       // it is the network's input or output, or tied to one: it never changes
    std::size_t leader = 0;   // the width that this one is always equal to; its own index where it is free
};

struct DepthDimension {
    std::string name;
    std::vector<int> values;  // ascending, the base's among them
};

struct ChoiceSpace {
    std::vector<WidthDimension> widths;
    std::vector<DepthDimension> depths;
    std::vector<int> resolutions;  // ascending
    int resolution_step = 1;  // pixels between the resolutions that baselines look at; 0: there is only one

    bool is_free(std::size_t width) const { return widths[width].leader == width; }
    // The choice with another width, and with the same of those that it leads.
    ScalingChoice with_width(ScalingChoice choice, std::size_t width, int value) const;
    // Of widths, depths and resolution; inner widths are not looked at.
    bool contains(const ScalingChoice& choice) const;
};

class ScalingContext {
public:
    virtual ~ScalingContext() = default;
    ScalingContext(const ScalingContext&) = delete;
    ScalingContext& operator=(const ScalingContext&) = delete;

    const ScalingSettings& settings() const { return settings_; }
    const Evaluation& base_evaluation() const { return base_evaluation_; }
    const ScalingChoice& base_choice() const { return base_evaluation_.choice; }
    // A budget in microseconds from one in base latencies. Throws InputError outside of min_budget to
    // max_budget and above settings().max_budget.
    double budget_us(double ratio) const;
    // settings().max_budget in microseconds.
    double max_budget_us() const { return settings_.max_budget * base_evaluation_.latency_us(); }

    virtual const std::string& name() const = 0;  // of the base
    virtual const LatencySource& source() const = 0;
    virtual GainOrigin gain_origin() const = 0;
    virtual const ChoiceSpace& space(SearchDimensions dimensions = SearchDimensions::all) const = 0;

    // Nothing when the choice makes no valid network, or one with other residual adds than the base's.
    virtual std::optional<Evaluation> evaluate(const ScalingChoice& choice) const = 0;
    // Throws InputError when the choice makes no valid network.
    virtual Network network(const ScalingChoice& choice) const = 0;
    // The network as a model file; empty where it is of none.
    virtual std::string model_text(const ScalingChoice& choice) const = 0;
    // Of the part to which nodes with this stage (Node::stage) belong, for tables of layers.
    virtual std::string part_name(int stage) const = 0;
    // Latency of all layers whose shapes depend on one width, with everything else at the base; microseconds.
    // Nothing where one of them is missing, or the width makes no valid network. `value` may be any multiple of
    // the width's step.
    virtual std::optional<double> latency_around_us(std::size_t width, int value) const = 0;

    // How far plans may be from exact: no network within budget / (1 + epsilon) gains more than the plan's
    // for the budget. 0: plans are exact.
    virtual double epsilon() const = 0;
    // How much more than the plan's a network of at most this latency could gain at most, where the plan does not keep epsilon().
    virtual double gain_gap(std::int64_t latency_ps) const = 0;
    // Latency fronts reach to max_budget; fronts by MACs or params cover the whole space.
    virtual const PlanFront& front(const PlanKind& kind) const = 0;
    // Of a point of front(kind).
    virtual ScalingChoice choice_at(const PlanKind& kind, std::size_t point) const = 0;
    virtual std::int64_t latency_ps_at(const PlanKind& kind, std::size_t point) const = 0;
    // The least of a resource that networks of at most this latency use; nothing when there is no such network.
    virtual std::optional<std::int64_t> min_usage(Resource resource, std::int64_t max_latency_ps) const = 0;
    // The least latency of all networks of space(dimensions) within the caps; nothing when there is none.
    virtual std::optional<std::int64_t> min_latency_ps(SearchDimensions dimensions) const = 0;
    // Of the latencies that plans are made from.
    virtual const CostCoverage& coverage() const = 0;
    // How many networks a search without a plan may look up until it has looked up as much as plans have.
    virtual std::int64_t lookups() const = 0;

protected:
    // Throws InputError for settings that make no sense whatever the base.
    explicit ScalingContext(const ScalingSettings& settings);
    // Throws InputError when the base lacks a latency: without it there is no budget.
    void set_base(Evaluation base);
    // Of a plan by latency: the caps, the bound, and the largest budget.
    FrontLimits latency_limits() const;

private:
    ScalingSettings settings_;
    Evaluation base_evaluation_;
};

}  // namespace hacscale
