#include "scaling/analysis/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text/wording.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

// Gains are sums of products, so equal ones can differ in their last bits.
constexpr double no_gain_below = 1e-12;

std::vector<LayerSpec> sorted_layers(const Graph& network) {
    std::vector<LayerSpec> layers;
    for (const Node& node : network.nodes) layers.push_back(node.layer);
    std::sort(layers.begin(), layers.end());
    return layers;
}

std::optional<int> next_of(const std::vector<int>& values, int value) {
    const auto next = std::upper_bound(values.begin(), values.end(), value);
    return next == values.end() ? std::nullopt : std::optional(*next);
}

const char* unit_of(StepDimension dimension) {
    switch (dimension) {
        case StepDimension::width:
        case StepDimension::inner_width:
            return "channels";
        case StepDimension::depth:
            return "blocks";
        case StepDimension::resolution:
            break;
    }
    return "pixels";
}

// Which caps the usage exceeds, and by how much; empty when none.
std::string over_caps(const ResourceUsage& usage, const Caps& caps) {
    std::string over;
    const auto check = [&over](const std::optional<std::int64_t>& cap, std::int64_t used, const char* what) {
        if (!cap || used <= *cap) return;
        over += fmt::format("{}{} by {}", over.empty() ? "over the cap on " : ", on ", what, used - *cap);
    };
    check(caps.params, usage.params, "parameters");
    check(caps.macs, usage.macs, "MACs");
    check(caps.memory_bytes, usage.memory_bytes(), "bytes of memory");
    return over;
}

class Explainer {
public:
    Explainer(const StageContext& context, const ScalingChoice& from, double budget_us,
              const std::optional<UtilizationBasis>& basis)
        : context_(context), basis_(basis), model_(scaled(context.base(), from)), network_(lower(model_)) {
        std::optional<Evaluation> network = context.evaluate(from);
        if (!network) {
            throw InputError(
                "two widths of the network to explain make or drop a residual add of the base's");
        }
        result_.network = std::move(*network);
        if (!result_.network.complete()) {
            throw InputError(fmt::format("the table lacks {} of the network's layers, {} among them",
                                         result_.network.missing_layers, result_.network.first_missing));
        }
        result_.budget_us = budget_us;
        result_.utilization = utilization_of(network_, result_.network);
        layers_ = sorted_layers(network_);
    }

    NetworkExplanation explained() {
        const ScalingChoice base = choice_of(context_.base());
        const ScalingChoice& from = result_.network.choice;
        const ScalingSpace& space = context_.stage_space();
        for (std::size_t i = 0; i < space.stages.size(); ++i) {
            const auto stage = static_cast<int>(i);
            add(StepDimension::width, stage, base.widths[i], from.widths[i], space.stages[i].widths);
            add(StepDimension::depth, stage, base.depths[i], from.depths[i], space.stages[i].depths);
            if (space.inner.is_open()) add_inner(i);
        }
        add(StepDimension::resolution, std::nullopt, base.resolution, from.resolution, space.resolutions);
        return std::move(result_);
    }

private:
    void add(StepDimension dimension, std::optional<int> stage, int base, int from,
             const std::vector<int>& values, std::optional<int> block = std::nullopt) {
        Contribution step;
        step.dimension = dimension;
        step.stage = stage;
        step.block = block;
        step.base = base;
        step.from = from;
        step.to = next_of(values, from);
        judge(step);
        result_.steps.push_back(std::move(step));
    }

    // Ascending; one value, 0, where the block has none to choose.
    std::vector<int> inner_widths_of(const ScalingChoice& choice, std::size_t stage, int block) const {
        std::vector<int> values = context_.stage_space().inner.options(
            stage, block, stage == 0 ? 0 : choice.widths[stage - 1], choice.widths[stage]);
        std::sort(values.begin(), values.end());
        return values;
    }

    void add_inner(std::size_t stage) {
        const std::vector<int>& base = context_.base().stages[stage].inner_widths;
        const std::vector<int>& inner = model_.stages[stage].inner_widths;
        for (std::size_t block = 0; block < inner.size(); ++block) {
            const auto index = static_cast<int>(block);
            const std::vector<int> values = inner_widths_of(result_.network.choice, stage, index);
            if (values.back() == 0) continue;
            add(StepDimension::inner_width, static_cast<int>(stage), base[std::min(block, base.size() - 1)],
                inner[block], values, index);
        }
    }

    ScalingChoice after(const Contribution& step) const {
        ScalingChoice choice = result_.network.choice;
        const auto stage = static_cast<std::size_t>(step.stage.value_or(0));
        switch (step.dimension) {
            case StepDimension::width:
                choice = context_.stage_space().with_width(std::move(choice), stage, *step.to);
                break;
            case StepDimension::depth:
                choice.depths[stage] = *step.to;
                // An added block is as its stage's last one.
                if (stage < choice.inner_widths.size() && !choice.inner_widths[stage].empty()) {
                    std::vector<int>& inner = choice.inner_widths[stage];
                    inner.resize(static_cast<std::size_t>(*step.to), inner.back());
                }
                break;
            case StepDimension::inner_width:
                choice.inner_widths.resize(model_.stages.size());
                choice.inner_widths[stage] = model_.stages[stage].inner_widths;
                choice.inner_widths[stage][static_cast<std::size_t>(*step.block)] = *step.to;
                break;
            case StepDimension::resolution:
                choice.resolution = *step.to;
                break;
        }
        return choice;
    }

    // An inner width that was chosen may be none of those that the space has for a wider block. Empty when
    // all are in the space.
    std::string outside(const ScalingChoice& choice) const {
        for (std::size_t stage = 0; stage < choice.inner_widths.size(); ++stage) {
            for (std::size_t block = 0; block < choice.inner_widths[stage].size(); ++block) {
                const std::vector<int> values = inner_widths_of(choice, stage, static_cast<int>(block));
                const int inner = choice.inner_widths[stage][block];
                if (values.back() == 0 || std::binary_search(values.begin(), values.end(), inner)) continue;
                return fmt::format("leaves the space: block {} of {} would keep its inner width of {}",
                                   block + 1, stage_name(context_.base(), static_cast<int>(stage)), inner);
            }
        }
        return "";
    }

    void judge(Contribution& step) const {
        const auto because = [&step](StepOutcome outcome, std::string reason) {
            step.outcome = outcome;
            step.reason = std::move(reason);
        };
        if (!step.to) {
            return because(StepOutcome::space_end,
                           fmt::format("the space ends at {} {}", step.from, unit_of(step.dimension)));
        }
        const ScalingChoice choice = after(step);
        const std::optional<Evaluation> larger = context_.evaluate(choice);
        if (!larger) {
            const bool valid = keeps_skips(context_.base(), choice.widths);
            return because(StepOutcome::invalid,
                           fmt::format("{} {} make {}", *step.to, unit_of(step.dimension),
                                       valid ? "no valid model"
                                             : "two widths equal that no residual add connects in the base"));
        }
        if (const std::string reason = outside(choice); !reason.empty()) {
            return because(StepOutcome::space_end, reason);
        }
        const Graph network = lower(scaled(context_.base(), choice));
        step.estimate = weakest_change(network);
        if (!larger->complete()) {
            return because(StepOutcome::missing,
                           fmt::format("the table lacks {}{}", larger->first_missing,
                                       larger->missing_layers == 1
                                           ? ""
                                           : fmt::format(" and {} more", larger->missing_layers - 1)));
        }
        step.added = figures(*larger, network);
        if (step.added->gain <= no_gain_below) {
            return because(StepOutcome::no_gain, "gains nothing");
        }
        const std::int64_t budget_ps = picoseconds(result_.budget_us);
        if (larger->latency_ps > budget_ps + budget_slack_ps) {
            const double over_us = larger->latency_us() - result_.budget_us;
            return because(StepOutcome::over_budget,
                           fmt::format("over the budget by {} us ({} %)", plain_number(over_us),
                                       plain_number(percent_of_base(over_us), 2)));
        }
        if (const std::string over = over_caps(larger->usage, context_.settings().caps); !over.empty()) {
            return because(StepOutcome::over_cap, over);
        }
        because(StepOutcome::fits, fmt::format("fits, {} us would be left",
                                               plain_number(result_.budget_us - larger->latency_us())));
    }

    double percent_of_base(double latency_us) const {
        return 100.0 * latency_us / context_.base_evaluation().latency_us();
    }

    StepFigures figures(const Evaluation& larger, const Graph& network) const {
        const Evaluation& before = result_.network;
        StepFigures added;
        added.latency_us = static_cast<double>(larger.latency_ps - before.latency_ps) / picoseconds_per_us;
        added.latency_percent = percent_of_base(added.latency_us);
        added.params = larger.usage.params - before.usage.params;
        added.macs = larger.usage.macs - before.usage.macs;
        added.gain = larger.gain.value() - before.gain.value();
        if (added.latency_us > 0.0) added.gain_per_percent = added.gain / added.latency_percent;
        if (basis_) added.utilization = *utilization_of(network, larger) - *result_.utilization;
        return added;
    }

    std::optional<double> utilization_of(const Graph& network, const Evaluation& evaluation) const {
        if (!basis_) return std::nullopt;
        return utilization(network, evaluation.latency_us(), basis_->batch, basis_->peak);
    }

    // Layers that are in both networks cancel out of every difference, so only the others count.
    EstimateKind weakest_change(const Graph& network) const {
        std::vector<LayerSpec> changed;
        const std::vector<LayerSpec> layers = sorted_layers(network);
        std::set_symmetric_difference(layers_.begin(), layers_.end(), layers.begin(), layers.end(),
                                      std::back_inserter(changed));
        EstimateKind weakest = EstimateKind::measured;
        for (const LayerSpec& layer : changed) {
            weakest = std::max(weakest, context_.source().estimate(layer).kind);
        }
        return weakest;
    }

    const StageContext& context_;
    const std::optional<UtilizationBasis>& basis_;
    ModelSpec model_;  // before the step
    Graph network_;
    std::vector<LayerSpec> layers_;  // of network_, sorted
    NetworkExplanation result_;
};

}  // namespace

bool NetworkExplanation::has_missing() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const Contribution& step) { return step.outcome == StepOutcome::missing; });
}

NetworkExplanation explain(const StageContext& context, const ScalingChoice& from, double budget_us,
                           const std::optional<UtilizationBasis>& basis) {
    if (!context.stage_space().contains(from)) {
        throw InputError("the network to explain is not in the scaling space; widen the space's limits");
    }
    return Explainer(context, from, budget_us, basis).explained();
}

std::string_view name_of(StepDimension dimension) {
    switch (dimension) {
        case StepDimension::width:
            return "width";
        case StepDimension::depth:
            return "depth";
        case StepDimension::inner_width:
            return "inner_width";
        case StepDimension::resolution:
            break;
    }
    return "resolution";
}

std::string_view name_of(StepOutcome outcome) {
    switch (outcome) {
        case StepOutcome::space_end:
            return "space_end";
        case StepOutcome::invalid:
            return "invalid";
        case StepOutcome::missing:
            return "missing";
        case StepOutcome::no_gain:
            return "no_gain";
        case StepOutcome::over_budget:
            return "over_budget";
        case StepOutcome::over_cap:
            return "over_cap";
        case StepOutcome::fits:
            break;
    }
    return "fits";
}

}  // namespace hacscale
