#include "scaling/analysis/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "models/stages/scaled_model.hpp"

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

// The next larger or smaller one.
std::optional<int> next_of(const std::vector<int>& values, int value, bool down) {
    if (down) {
        const auto at = std::lower_bound(values.begin(), values.end(), value);
        return at == values.begin() ? std::nullopt : std::optional(*std::prev(at));
    }
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

std::string lacks_text(const Evaluation& network) {
    const int more = network.missing_layers - 1;
    return fmt::format(
        "the table lacks {}{}", network.first_missing,
        more == 0 ? "" : fmt::format(" and {}", counted(static_cast<std::size_t>(more), "more layer")));
}

class Explainer {
public:
    // `stages` is the context, where the network has some; else null.
    Explainer(const ScalingContext& context, const StageContext* stages, const ScalingChoice& from,
              double budget_us, const std::optional<UtilizationBasis>& basis)
        : context_(context), stages_(stages), basis_(basis) {
        if (!context.space().contains(from) || (stages != nullptr && !stages->stage_space().contains(from))) {
            throw InputError("the network to explain is not in the scaling space; widen the space's limits");
        }
        std::optional<Evaluation> network = context.evaluate(from);
        if (!network) {
            throw InputError(
                stages != nullptr
                    ? "two widths of the network to explain make or drop a residual add of the base's"
                    : "the network to explain cannot be built");
        }
        result_.network = std::move(*network);
        if (!result_.network.complete()) throw InputError(lacks_text(result_.network));
        if (stages != nullptr) model_ = scaled(stages->base(), from);
        network_ = context.network(from).graph;
        result_.budget_us = budget_us;
        result_.down = result_.network.latency_ps > budget_ps() + budget_slack_ps;
        result_.utilization = utilization_of(network_, result_.network);
        layers_ = sorted_layers(network_);
    }

    NetworkExplanation explained() {
        const ScalingChoice& base = context_.base_choice();
        const ScalingChoice& from = result_.network.choice;
        const ChoiceSpace& space = context_.space();
        for (std::size_t i = 0; i < space.widths.size(); ++i) {
            const auto index = static_cast<int>(i);
            const std::vector<int>& widths = space.widths[i].values;
            if (stages_ == nullptr && widths.size() == 1) continue;
            add(StepDimension::width, index, base.widths[i], from.widths[i], widths);
            if (stages_ == nullptr) continue;
            add(StepDimension::depth, index, base.depths[i], from.depths[i], space.depths[i].values);
            if (stages_->stage_space().inner.is_open()) add_inner(i);
        }
        if (stages_ != nullptr) {
            add(StepDimension::resolution, std::nullopt, base.resolution, from.resolution, space.resolutions);
            return std::move(result_);
        }
        for (std::size_t i = 0; i < space.depths.size(); ++i) {
            if (space.depths[i].values.size() == 1) continue;
            add(StepDimension::depth, static_cast<int>(space.widths.size() + i), base.depths[i],
                from.depths[i], space.depths[i].values);
        }
        return std::move(result_);
    }

private:
    std::int64_t budget_ps() const { return picoseconds(result_.budget_us); }

    void add(StepDimension dimension, std::optional<int> stage, int base, int from,
             const std::vector<int>& values, std::optional<int> block = std::nullopt) {
        Contribution step;
        step.dimension = dimension;
        step.stage = stage;
        step.block = block;
        step.base = base;
        step.from = from;
        step.to = next_of(values, from, result_.down);
        judge(step);
        result_.steps.push_back(std::move(step));
    }

    // Ascending; one value, 0, where the block has none to choose.
    std::vector<int> inner_widths_of(const ScalingChoice& choice, std::size_t stage, int block) const {
        std::vector<int> values = stages_->stage_space().inner.options(
            stage, block, stage == 0 ? 0 : choice.widths[stage - 1], choice.widths[stage]);
        std::sort(values.begin(), values.end());
        return values;
    }

    void add_inner(std::size_t stage) {
        const std::vector<int>& base = stages_->base().stages[stage].inner_widths;
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
                choice = context_.space().with_width(std::move(choice), stage, *step.to);
                break;
            case StepDimension::depth:
                choice.depths[stages_ != nullptr ? stage : stage - choice.widths.size()] = *step.to;
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
                                   block + 1, stage_name(stages_->base(), static_cast<int>(stage)), inner);
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
        const std::optional<Evaluation> changed = context_.evaluate(choice);
        if (!changed) {
            const bool valid = stages_ == nullptr || keeps_skips(stages_->base(), choice.widths);
            return because(StepOutcome::invalid,
                           fmt::format("{} {} make {}", *step.to, unit_of(step.dimension),
                                       valid ? "no valid model"
                                             : "two widths equal that no residual add connects in the base"));
        }
        if (const std::string reason = outside(choice); !reason.empty()) {
            return because(StepOutcome::space_end, reason);
        }
        const Graph network = context_.network(choice).graph;
        step.estimate = weakest_change(network);
        if (!changed->complete()) {
            return because(StepOutcome::missing, lacks_text(*changed));
        }
        step.added = figures(*changed, network);
        if (!result_.down && step.added->gain <= no_gain_below) {
            return because(StepOutcome::no_gain, "gains nothing");
        }
        if (result_.down && step.added->latency_us >= 0.0) {
            return because(StepOutcome::no_saving, "saves nothing");
        }
        if (changed->latency_ps > budget_ps() + budget_slack_ps) {
            const double over_us = changed->latency_us() - result_.budget_us;
            return because(StepOutcome::over_budget,
                           fmt::format("{}over the budget by {} us ({} %)", result_.down ? "still " : "",
                                       plain_number(over_us), plain_number(percent_of_base(over_us), 2)));
        }
        if (const std::string over = over_caps(changed->usage, context_.settings().caps); !over.empty()) {
            return because(StepOutcome::over_cap, over);
        }
        because(StepOutcome::fits, fmt::format("fits, {} us would be left",
                                               plain_number(result_.budget_us - changed->latency_us())));
    }

    double percent_of_base(double latency_us) const {
        return 100.0 * latency_us / context_.base_evaluation().latency_us();
    }

    StepFigures figures(const Evaluation& changed, const Graph& network) const {
        const Evaluation& before = result_.network;
        StepFigures added;
        added.latency_us = static_cast<double>(changed.latency_ps - before.latency_ps) / picoseconds_per_us;
        added.latency_percent = percent_of_base(added.latency_us);
        added.params = changed.usage.params - before.usage.params;
        added.macs = changed.usage.macs - before.usage.macs;
        added.gain = changed.gain.value() - before.gain.value();
        if (result_.down ? added.latency_us < 0.0 : added.latency_us > 0.0) {
            added.gain_per_percent = added.gain / added.latency_percent;
        }
        if (basis_) added.utilization = *utilization_of(network, changed) - *result_.utilization;
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

    const ScalingContext& context_;
    const StageContext* stages_;
    const std::optional<UtilizationBasis>& basis_;
    ModelSpec model_;  // before the step, where it has stages
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
    return Explainer(context, &context, from, budget_us, basis).explained();
}

NetworkExplanation explain(const GraphContext& context, const ScalingChoice& from, double budget_us,
                           const std::optional<UtilizationBasis>& basis) {
    return Explainer(context, nullptr, from, budget_us, basis).explained();
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
        case StepOutcome::no_saving:
            return "no_saving";
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
