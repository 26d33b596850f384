#include "harness/compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/candidate_search.hpp"
#include "harness/compare/describe.hpp"
#include "harness/measure/table_view.hpp"
#include "models/formats/formats.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/analysis/utilization.hpp"
#include "scaling/graph_context.hpp"
#include "scaling/stage_context.hpp"

namespace hacscale::harness {

namespace {

// Timing stops at intervals of 1 % of each latency, so a ratio is known to about 1.4 %; of that, what a user
// would still call the budget.
constexpr double largest_slack = 0.01;

struct Ratio {
    double value = 0.0;
    double half_width = 0.0;  // of its 95 % interval
};

// By propagation of both intervals on the logarithm.
Ratio ratio_of(const TimedNetwork& network, const TimedNetwork& base) {
    const double value = network.latency_us / base.latency_us;
    return {value, value * std::hypot(network.ci95_us / network.latency_us, base.ci95_us / base.latency_us)};
}

std::vector<const Strategy*> chosen_strategies(const std::vector<std::string>& names, double budget) {
    if (names.empty()) {
        return usual_strategies(budget);
    }
    std::vector<const Strategy*> chosen;
    for (const std::string& name : names) {
        chosen.push_back(&find_strategy(name));
    }
    return chosen;
}

// In base latencies; the base is timed where the budget says nothing about it.
double budget_ratio(const TableView& view, const Network& network, const ComparisonSettings& settings,
                    const TimeNetworks& time) {
    double base_us = view.base_estimate().latency_us;
    if (!settings.budget.is_ratio() && time) {
        SessionBudget unlimited;
        SessionBudget& sessions = settings.sessions != nullptr ? *settings.sessions : unlimited;
        sessions.begin(1, settings.strategies.empty() ? strategies().size() : settings.strategies.size());
        const TimedNetwork base = time({network}).front();
        sessions.end();
        base_us = base.timed() ? base.latency_us : base_us;
    }
    return settings.budget.ratio(base_us, view.state().batch);
}

// Planned for somewhat more than the budget, but in the space of the budget.
ScalingSettings scaling_settings(const TableView& view, const ComparisonSettings& settings, double budget) {
    return {.space = for_budget(settings.space, budget),
            .max_budget = budget * planning_reserve,
            .caps = settings.caps,
            .batch = view.state().batch,
            .type = view.state().type,
            .l1_scores = settings.l1_scores,
            .taylor_scores = settings.taylor_scores};
}

class Comparer {
public:
    // `context` is of the view's network, and the same as `stages` where the network has some; `budget` in base latencies.
    Comparer(const TableView& view, const ScalingContext& context, const StageContext* stages,
             const ComparisonSettings& settings, double budget, const TimeNetworks& time)
        : view_(view),
          context_(context),
          stages_(stages),
          settings_(settings),
          budget_(budget),
          time_(time),
          sessions_(settings.sessions != nullptr ? *settings.sessions : unlimited_) {
        for (const Strategy* strategy : chosen_strategies(settings.strategies, budget)) {
            const auto fixed = settings.fixed.find(std::string(strategy->name));
            if (fixed == settings.fixed.end()) {
                searches_.emplace_back(*strategy, context_, budget_);
            } else {
                searches_.emplace_back(*strategy, context_, budget_, fixed_fit(*strategy, fixed->second));
            }
        }
    }

    records::ComparisonRecord run() {
        if (time_) {
            for (int round = 0; round < settings_.rounds && time_open(); ++round) {
            }
            time_chosen();
        }
        return record();
    }

private:
    // The choice that makes this model of the base; nothing when there is none.
    std::optional<ScalingChoice> choice_for(const ModelSpec& model) const {
        if (stages_ == nullptr) {
            return std::nullopt;
        }
        const ModelSpec& base = stages_->base();
        if (model.stages.size() != base.stages.size()) {
            return std::nullopt;
        }
        ScalingChoice choice = choice_of(model);
        for (const StageSpec& stage : model.stages) {
            choice.inner_widths.push_back(stage.inner_widths);
        }
        choice = canonical(base, std::move(choice));
        return model_hash(scaled(base, choice)) == model_hash(model) ? std::optional(choice) : std::nullopt;
    }

    Fit fixed_fit(const Strategy& strategy, const ModelSpec& model) const {
        const std::optional<ScalingChoice> choice = choice_for(model);
        const std::optional<Evaluation> evaluation = choice ? context_.evaluate(*choice) : std::nullopt;
        if (!evaluation) {
            throw InputError(
                fmt::format("{} is not a scaled {}: the training plan belongs to another network; "
                            "name another plan",
                            model.name, context_.name()));
        }
        return {std::string(strategy.name), FitStatus::ok, "", *evaluation, std::nullopt};
    }

    // The base, first because nothing is known without it, and these choices, each once.
    std::vector<ScalingChoice> beside_base(std::vector<ScalingChoice> choices) const {
        const ScalingChoice& base = context_.base_choice();
        std::erase(choices, base);
        std::sort(choices.begin(), choices.end());
        choices.erase(std::unique(choices.begin(), choices.end()), choices.end());
        choices.insert(choices.begin(), base);
        return choices;
    }

    // Times them together; the first is the base. `later`: networks that the next session has at the least.
    std::map<ScalingChoice, TimedNetwork> time_together(const std::vector<ScalingChoice>& choices,
                                                        std::size_t later) {
        std::vector<Network> networks;
        for (const ScalingChoice& choice : choices) {
            networks.push_back(context_.network(choice));
        }
        sessions_.begin(networks.size(), later);
        const std::vector<TimedNetwork> timings = time_(networks);
        sessions_.end();
        std::map<ScalingChoice, TimedNetwork> timed;
        for (std::size_t i = 0; i < choices.size(); ++i) {
            timed.emplace(choices[i], timings[i]);
        }
        base_ = timed.at(choices.front());
        return timed;
    }

    // What the final session times, as things stand.
    std::vector<ScalingChoice> chosen_beside_base() const {
        std::vector<ScalingChoice> choices;
        for (const CandidateSearch& search : searches_) {
            if (search.chosen().status == FitStatus::ok) {
                choices.push_back(search.chosen().result.choice);
            }
        }
        return beside_base(std::move(choices));
    }

    // One round of the search; false when there was nothing to time, no time for it, or the base could not be
    // timed.
    bool time_open() {
        std::vector<ScalingChoice> choices;
        for (const CandidateSearch& search : searches_) {
            if (search.open()) {
                choices.push_back(search.open()->result.choice);
            }
        }
        if (choices.empty()) {
            return false;
        }
        choices = beside_base(std::move(choices));
        const std::size_t later = chosen_beside_base().size();
        if (!sessions_.allows(choices.size(), later)) {
            return false;
        }
        const auto timed = time_together(choices, later);
        bool in_time = true;
        for (CandidateSearch& search : searches_) {
            if (!search.open() || !base_.timed()) {
                continue;
            }
            const TimedNetwork& network = timed.at(search.open()->result.choice);
            if (network.timed()) {
                search.timed(ratio_of(network, base_).value);
            } else if (network.out_of_time) {
                in_time = false;
            } else {
                search.failed(network.reason);
            }
        }
        return base_.timed() && in_time;
    }

    // All choices and the base once more, in one session. A choice that kept the budget in its round may not
    // keep it again; the next best one then takes its place, and all are timed again.
    void time_chosen() {
        for (int session = 0; session < max_final_sessions; ++session) {
            const std::vector<ScalingChoice> choices = chosen_beside_base();
            final_ = time_together(choices, 0);
            const bool last = session + 1 == max_final_sessions || !sessions_.allows(choices.size(), 0);
            if (!base_.timed() || last || !replace_slow_ones()) {
                return;
            }
        }
    }

    // Whether a choice over the budget was replaced.
    bool replace_slow_ones() {
        bool replaced = false;
        for (CandidateSearch& search : searches_) {
            const auto found = final_.find(search.chosen().result.choice);
            if (found == final_.end() || !found->second.timed()) {
                continue;
            }
            const Ratio ratio = ratio_of(found->second, base_);
            if (is_over_budget(ratio)) {
                replaced = search.reject_chosen(ratio.value) || replaced;
            }
        }
        return replaced;
    }

    // Over the budget by less than a sound measurement can tell is not over it; a wide interval excuses
    // nothing.
    bool is_over_budget(const Ratio& ratio) const {
        return ratio.value > budget_ + std::min(ratio.half_width, largest_slack * budget_);
    }

    // Noise does not hide what exceeds the budget by more than the noise.
    records::StrategyStatus status_of(const Ratio& ratio, double noise) const {
        const bool judged =
            noise <= records::largest_judged_noise || ratio.value - ratio.half_width > budget_;
        return !judged                 ? records::StrategyStatus::noisy
               : is_over_budget(ratio) ? records::StrategyStatus::over_budget
                                       : records::StrategyStatus::ok;
    }

    static void add_reason(records::StrategyRow& row, const std::string& reason) {
        row.reason += (row.reason.empty() ? "" : "; ") + reason;
    }

    // ---- The record ----

    std::optional<double> utilization_of(const Graph& network, const Evaluation& evaluation,
                                         const TimedNetwork* timed) const {
        const double latency_us =
            timed != nullptr && timed->timed() ? timed->latency_us : evaluation.latency_us();
        if (!view_.peak() || !evaluation.complete()) {
            return std::nullopt;
        }
        return utilization(network, latency_us, view_.state().batch,
                           DevicePeak{view_.peak()->flops_per_s, view_.peak()->bytes_per_s});
    }

    std::optional<double> interpolated_share(const Graph& network) const {
        double interpolated_us = 0.0;
        double sum_us = 0.0;
        for (const Node& node : network.nodes) {
            const LatencyEstimate layer = view_.source().estimate(node.layer);
            sum_us += layer.latency_us;
            interpolated_us += layer.kind == EstimateKind::interpolated ? layer.latency_us : 0.0;
        }
        return sum_us > 0.0 ? std::optional(interpolated_us / sum_us) : std::nullopt;
    }

    // The base keeps its name.
    std::string model_text(const Fit& fit) const {
        if (stages_ == nullptr || fit.result.choice == context_.base_choice()) {
            return context_.model_text(fit.result.choice);
        }
        return to_yaml(named_after(context_.name(), fit.strategy,
                                   settings_.budget.is_ratio() ? Budget(budget_) : settings_.budget,
                                   scaled(stages_->base(), fit.result.choice)));
    }

    records::StrategyRow predicted_row(const Fit& fit, const TimedNetwork* timed) const {
        records::StrategyRow row;
        row.strategy = fit.strategy;
        row.reason = fit.reason;
        row.status = fit.status == FitStatus::ok ? records::StrategyStatus::unverified
                                                 : records::StrategyStatus::infeasible;
        if (fit.status != FitStatus::ok) {
            return row;
        }
        row.predicted_us = fit.predicted_us();
        row.params = fit.result.usage.params;
        row.macs = fit.result.usage.macs;
        row.gain = fit.result.gain;
        row.choice = fit.result.choice;
        const Network network = context_.network(fit.result.choice);
        row.memory_bytes = fit.result.usage.memory_bytes();
        row.spec = model_text(fit);
        row.model_hash = network_hash(network);
        row.utilization = utilization_of(network.graph, fit.result, timed);
        row.interpolated_share = interpolated_share(network.graph);
        return row;
    }

    records::StrategyRow row_of(const Fit& fit, const std::string& failure) const {
        const auto found = fit.status == FitStatus::ok ? final_.find(fit.result.choice) : final_.end();
        const TimedNetwork* timed = found == final_.end() ? nullptr : &found->second;
        records::StrategyRow row = predicted_row(fit, timed);
        if (timed == nullptr) {
            return row;
        }
        if (timed->out_of_time || base_.out_of_time) {
            row.reason = timed->out_of_time ? timed->reason : "the base was not timed: " + base_.reason;
            return row;
        }
        if (!timed->timed() || !base_.timed()) {
            row.status = records::StrategyStatus::failed;
            row.reason = !failure.empty() ? failure : !timed->timed() ? timed->reason : base_.reason;
            return row;
        }
        const Ratio ratio = ratio_of(*timed, base_);
        row.measured_us = timed->latency_us;
        row.ci95_us = timed->ci95_us;
        row.upper = timed->upper;
        row.latency_ratio = ratio.value;
        // The base itself, chosen again, shares the base's timing.
        const bool is_base = fit.result.choice == context_.base_choice();
        row.latency_ratio_ci95 = is_base ? 0.0 : ratio.half_width;
        const double noise = is_base ? base_.ci95_us / base_.latency_us : ratio.half_width / ratio.value;
        row.status = status_of(ratio, noise);
        if (!timed->converged || !base_.converged) {
            row.noisy = true;
            add_reason(row, fmt::format("the timing is noisy: the latency ratio is known to +-{:.1f} %",
                                        100.0 * ratio.half_width / ratio.value));
        }
        const double error_pct = std::abs(*prediction_error_pct(row));
        if (error_pct > records::prediction_tolerance_pct) {
            add_reason(row,
                       fmt::format("predicted {:.1f} us, measured {:.1f} us: {:.0f} % off, more than the "
                                   "tolerance of {:.0f} %",
                                   *row.predicted_us, timed->latency_us, error_pct,
                                   records::prediction_tolerance_pct));
        }
        return row;
    }

    records::ComparisonRecord record() const {
        records::ComparisonRecord record;
        record.model = context_.name();
        record.device = view_.table().device().id;
        record.budget = budget_;
        record.budget_given = settings_.budget.is_ratio() ? "" : settings_.budget.text();
        record.batch = view_.state().batch;
        record.type = view_.state().type;
        record.cache = view_.state().cache;
        record.gain_origin = name_of(context_.gain_origin());
        record.gain_bound = context_.epsilon();
        record.gain_gap = context_.gain_gap(picoseconds(context_.budget_us(budget_)));
        record.base = row_of(base_fit(context_), "");
        record.base.strategy = "base";
        for (const CandidateSearch& search : searches_) {
            record.strategies.push_back(row_of(search.chosen(), search.failure()));
        }
        add_ratios(record);
        add_verdict(record);
        record.peak = view_.peak();
        record.front = front_points(context_);
        for (const DepthDimension& depth : context_.space().depths) {
            (stages_ != nullptr ? record.stages : record.depth_names).push_back(depth.name);
        }
        for (const WidthDimension& width : context_.space().widths) {
            if (stages_ == nullptr) {
                record.width_names.push_back(width.name);
            }
        }
        record.layers = layer_rows(context_, context_.base_choice(), view_, "base");
        for (const records::StrategyRow& row : record.strategies) {
            if (row.strategy == "hacscale" && row.choice) {
                const std::vector<records::LayerRow> layers =
                    layer_rows(context_, *row.choice, view_, "hacscale");
                record.layers.insert(record.layers.end(), layers.begin(), layers.end());
            }
        }
        record.strategy_layers = strategy_layers(record, context_, view_);
        if (stages_ != nullptr) {
            record.staircases = staircase_rows(*stages_, view_);
            add_contributions(record, *stages_);
        }
        return record;
    }

    void add_contributions(records::ComparisonRecord& record, const StageContext& stages) const {
        const double budget_us = context_.budget_us(budget_);
        record.contributions.push_back(
            contributions_row(stages, view_, context_.base_choice(), budget_us, "base"));
        for (const records::StrategyRow& row : record.strategies) {
            if (row.strategy != "hacscale" || !row.choice) {
                continue;
            }
            // On a device that is not as fast as predicted, what the table would have to predict for the
            // device to need exactly the budget.
            const double corrected_us =
                row.latency_ratio ? *row.predicted_us * budget_ / *row.latency_ratio : budget_us;
            record.contributions.push_back(
                contributions_row(stages, view_, *row.choice, corrected_us, "hacscale"));
        }
    }

    static void add_ratios(records::ComparisonRecord& record) {
        const auto add = [&](records::StrategyRow& row) {
            if (row.utilization && record.base.utilization) {
                row.utilization_ratio = *row.utilization / *record.base.utilization;
            }
        };
        std::for_each(record.strategies.begin(), record.strategies.end(), add);
        add(record.base);
    }

    const TableView& view_;
    const ScalingContext& context_;
    const StageContext* stages_;  // null where the network has none
    const ComparisonSettings& settings_;
    double budget_;  // in base latencies
    const TimeNetworks& time_;
    SessionBudget unlimited_;
    SessionBudget& sessions_;
    std::vector<CandidateSearch> searches_;
    TimedNetwork base_;  // of the latest round
    std::map<ScalingChoice, TimedNetwork> final_;
};

}  // namespace

records::ComparisonRecord compare(const ModelView& view, const ComparisonSettings& settings,
                                  const TimeNetworks& time) {
    const double budget = budget_ratio(view, network_of(view.base()), settings, time);
    const StageContext context(view.base(), view.source(), scaling_settings(view, settings, budget),
                               load_gain(settings.gain_files, view.base()));
    return Comparer(view, context, &context, settings, budget, time).run();
}

records::ComparisonRecord compare(const TableView& view, const Network& network,
                                  const ComparisonSettings& settings, const TimeNetworks& time) {
    // Weights change no latency, and a copy of them for each network that is timed would take their memory.
    const Network base{.name = network.name,
                       .graph = view.network(),
                       .input_names = network.input_names,
                       .output_names = network.output_names};
    const GainOrigin gain = gain_of_graphs(settings.gain_files, network.name);
    const double budget = budget_ratio(view, base, settings, time);
    GraphSpaceSettings space = settings.graph;
    space.max_widths = max_widths_of_group;
    const GraphContext context(base, view.source(), scaling_settings(view, settings, budget),
                               std::move(space), gain);
    return Comparer(view, context, nullptr, settings, budget, time).run();
}

}  // namespace hacscale::harness
