#include "cli/printing/printing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "harness/compare/answer.hpp"
#include "records/comparison.hpp"

namespace hacscale::cli {

namespace {

std::string percent_of(const std::optional<double>& fraction, const char* format) {
    return fraction ? fmt::format(fmt::runtime(format), 100.0 * *fraction) : "-";
}

// What a step adds: latency, utilization, params, MACs, gain, and gain per latency.
std::vector<std::string> figures_of(const Contribution& step) {
    const std::optional<StepFigures>& added = step.added;
    if (!added) {
        return {"-", "-", "-", "-", "-", "-", "-"};
    }
    return {fmt::format("{:+.1f}", added->latency_us),
            fmt::format("{:+.2f}", added->latency_percent),
            percent_of(added->utilization, "{:+.2f}"),
            fmt::format("{:+.4f}", static_cast<double>(added->params) * 1e-6),
            fmt::format("{:+.3f}", static_cast<double>(added->macs) * 1e-6),
            fmt::format("{:+.4f}", added->gain),
            added->gain_per_percent ? fmt::format("{:.4f}", *added->gain_per_percent)
            : step.to > step.from   ? "free"
                                    : "-"};
}

std::string dimension_of(const Contribution& step) {
    return step.block ? fmt::format("inner width, block {}", *step.block + 1)
                      : std::string(name_of(step.dimension));
}

std::vector<std::string> cells_of(const Contribution& step, const std::vector<std::string>& stages) {
    std::vector<std::string> cells{step.stage ? stages.at(static_cast<std::size_t>(*step.stage)) : "network",
                                   dimension_of(step), std::to_string(step.base), std::to_string(step.from),
                                   step.to ? std::to_string(*step.to) : "-"};
    const std::vector<std::string> figures = figures_of(step);
    cells.insert(cells.end(), figures.begin(), figures.end());
    cells.emplace_back(step.estimate ? name_of(*step.estimate) : "-");
    cells.push_back(step.reason);
    return cells;
}

void print_network(std::ostream& out, const std::string& title, const NetworkExplanation& network,
                   const std::vector<std::string>& stages) {
    const Evaluation& before = network.network;
    out << fmt::format(
        "{}: widths {}, depths {}{}, {} pixels\n{:.1f} us of the budget's {:.1f} us, utilization {} %, "
        "{:.3f} "
        "Mparams, {:.2f} MMACs, gain {:.4f}\n",
        title, fmt::join(before.choice.widths, ","), fmt::join(before.choice.depths, ","),
        before.choice.inner_widths.empty() ? "" : ", inner widths " + inner_widths_text(before.choice),
        before.choice.resolution, before.latency_us(), network.budget_us,
        percent_of(network.utilization, "{:.1f}"), static_cast<double>(before.usage.params) * 1e-6,
        static_cast<double>(before.usage.macs) * 1e-6, before.gain.value_or(0.0));
    if (network.down) {
        out << "It exceeds the budget: its steps lead down.\n";
    }
    TextTable table({{"stage", Align::left},
                     {"dimension", Align::left},
                     {"base"},
                     {"now"},
                     {"next"},
                     {"latency us"},
                     {"latency %"},
                     {"util. points"},
                     {"Mparams"},
                     {"MMACs"},
                     {"gain"},
                     {"gain per %"},
                     {"latencies", Align::left},
                     {"the step", Align::left}});
    for (const Contribution& step : network.steps) {
        table.add(cells_of(step, stages));
    }
    table.print(out);
    out << '\n';
}

// "stage3: 3 -> 4 blocks".
std::string step_text(const Contribution& step, const std::vector<std::string>& stages) {
    const std::string where = step.stage ? stages.at(static_cast<std::size_t>(*step.stage)) + ": " : "";
    const char* unit = step.dimension == StepDimension::depth        ? "blocks"
                       : step.dimension == StepDimension::resolution ? "pixels"
                                                                     : "channels";
    return fmt::format("{}{} -> {} {}{}", where, step.from, step.to.value_or(step.from), unit,
                       step.block ? fmt::format(" inside block {}", *step.block + 1) : "");
}

// The step that pays best among those of one outcome, of steps down the one that loses least; null where there is none.
const Contribution* best_step(const NetworkExplanation& network, StepOutcome outcome) {
    const Contribution* best = nullptr;
    const auto worth = [&](const Contribution& step) {
        // Free gains come first.
        const double of_percent =
            step.added->gain_per_percent.value_or(std::numeric_limits<double>::infinity());
        return network.down ? -of_percent : of_percent;
    };
    for (const Contribution& step : network.steps) {
        if (step.outcome == outcome && step.added && (best == nullptr || worth(step) > worth(*best))) {
            best = &step;
        }
    }
    return best;
}

std::string worth_text(const Contribution& step) {
    return fmt::format("latency {:+.1f} %, gain {:+.3f}", step.added->latency_percent, step.added->gain);
}

std::size_t steps_estimated(const std::vector<records::ContributionsRow>& rows, EstimateKind kind) {
    std::size_t steps = 0;
    for (const records::ContributionsRow& row : rows) {
        steps += static_cast<std::size_t>(
            std::count_if(row.network.steps.begin(), row.network.steps.end(),
                          [&](const Contribution& step) { return step.estimate == kind; }));
    }
    return steps;
}

// The choice's row as answers show it.
records::StrategyRow predicted_row(const records::ContributionsRow& row) {
    const Evaluation& network = row.network.network;
    records::StrategyRow shown;
    shown.strategy = row.spec;
    shown.predicted_us = network.latency_us();
    shown.utilization = row.network.utilization;
    shown.params = network.usage.params;
    shown.gain = network.gain;
    shown.choice = network.choice;
    return shown;
}

constexpr std::size_t steps_in_words = 3;

// "stage3: 96 -> 88 channels (latency -1.2 %, gain -0.010); ...": what the steps down of least loss save and cost, and how many
// more there are.
std::string cheapest_steps_down(const NetworkExplanation& network, const std::vector<std::string>& names) {
    std::vector<const Contribution*> steps;
    for (const Contribution& step : network.steps) {
        if (step.added && step.added->gain_per_percent) {
            steps.push_back(&step);
        }
    }
    std::stable_sort(steps.begin(), steps.end(), [](const Contribution* a, const Contribution* b) {
        return *a->added->gain_per_percent < *b->added->gain_per_percent;
    });
    std::vector<std::string> words;
    for (std::size_t i = 0; i < std::min(steps.size(), steps_in_words); ++i) {
        words.push_back(fmt::format("{} ({})", step_text(*steps[i], names), worth_text(*steps[i])));
    }
    if (steps.size() > steps_in_words) {
        words.push_back(fmt::format("{} more", steps.size() - steps_in_words));
    }
    return words.empty() ? "none saves any latency" : fmt::format("{}", fmt::join(words, "; "));
}

std::string closing(const NetworkExplanation& choice) {
    const auto fitting =
        std::count_if(choice.steps.begin(), choice.steps.end(),
                      [](const Contribution& step) { return step.outcome == StepOutcome::fits; });
    if (choice.down) {
        return fmt::format("{} of the steps down would meet the budget.\n", fitting);
    }
    return fitting == 0 ? "No single step from the choice both gains and fits.\n"
                        : fmt::format("{} of the steps from the choice gain and would still fit.\n", fitting);
}

}  // namespace

std::vector<std::string> explanation_lines(const records::Explanation& explanation,
                                           const harness::ShellCommand& profile_command) {
    std::vector<std::string> lines;
    const auto add = [&lines](const std::string& text) {
        const std::vector<std::string> more = wrapped(text, 2);
        lines.insert(lines.end(), more.begin(), more.end());
    };
    const std::vector<records::ContributionsRow>& rows = explanation.contributions;
    const NetworkExplanation& base = rows.front().network;
    const NetworkExplanation& choice = rows.back().network;
    records::ComparisonRecord record;
    record.gain_origin = explanation.gain_origin;
    record.stages = explanation.stages;
    record.width_names = explanation.width_names;
    record.depth_names = explanation.depth_names;
    const std::vector<std::string> names = explanation.step_names();
    record.base = predicted_row(rows.front());
    records::StrategyRow chosen = predicted_row(rows.back());
    if (chosen.utilization && record.base.utilization) {
        chosen.utilization_ratio = *chosen.utilization / *record.base.utilization;
    }
    record.budget = explanation.budget;
    const std::string given = explanation.budget_given.empty() ? "" : explanation.budget_given + ", ";
    const std::string title =
        fmt::format("{} on {}, budget {}{:.6g} x {}", explanation.model, explanation.device, given,
                    explanation.budget, latency_text(base.network.latency_us()));
    if (rows.size() < 2) {
        add(title + ": HACScale chose nothing: " + explanation.reason);
    } else if (harness::keeps_base(record, chosen)) {
        add(title + ": HACScale keeps the base");
    } else {
        add(title + ": " + harness::changes_text(record, *chosen.choice));
        add("  " + harness::brings_text(record, chosen));
    }
    if (base.down) {
        add("steps down from the base, least loss per latency first: " + cheapest_steps_down(base, names));
    }
    if (!choice.down) {
        if (const Contribution* step = best_step(choice, StepOutcome::fits)) {
            add(fmt::format("a step that still fits: {} ({})", step_text(*step, names), worth_text(*step)));
        } else {
            add("no single step from there both gains and fits");
        }
        if (const Contribution* step = best_step(choice, StepOutcome::over_budget)) {
            add(fmt::format("of those that do not fit, the best: {} ({})", step_text(*step, names),
                            step->reason));
        }
    }
    if (const std::size_t steps = steps_estimated(rows, EstimateKind::interpolated); steps > 0) {
        add(fmt::format("{} {} on interpolated latencies", counted(steps, "step"),
                        steps == 1 ? "rests" : "rest"));
    }
    if (const std::size_t steps = steps_estimated(rows, EstimateKind::missing); steps > 0) {
        add(fmt::format("the table lacks what {} {}; it is measured by", counted(steps, "step"),
                        steps == 1 ? "needs" : "need"));
        const std::vector<std::string> command = profile_command.lines();
        lines.insert(lines.end(), command.begin(), command.end());
    }
    return lines;
}

void print_explanation(std::ostream& out, const records::Explanation& explanation) {
    out << fmt::format(
        "{} on {}, latency budget {} x the base's, batch {}, {}, gain by {}, in {}\n"
        "What one step adds; latency % is of the base's, gain per % is gain for each of them, of steps down "
        "loss.\n",
        explanation.model, explanation.device, explanation.budget, explanation.state.batch,
        hacscale::name_of(explanation.state.type), explanation.gain_origin, explanation.gain_unit);
    const std::vector<std::string> names = explanation.step_names();
    const std::vector<records::ContributionsRow>& rows = explanation.contributions;
    out << '\n';
    print_network(out, "base", rows.front().network, names);
    if (rows.size() < 2) {
        out << "HACScale chose nothing: " << explanation.reason << '\n';
        return;
    }
    const NetworkExplanation& choice = rows.back().network;
    if (choice.network.choice == rows.front().network.network.choice) {
        out << "HACScale keeps the base. ";
    } else {
        print_network(out, "chosen by HACScale", choice, names);
    }
    out << closing(choice);
}

}  // namespace hacscale::cli
