// The verdict at one budget: what each choice costs and what it is worth, with intervals, and which
// strategies dominate which (docs/method.md, "Verdict"). The comparison's record says who dominates whom;
// nothing is judged here.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::vector<const records::StrategyRow*> verdict_rows(const records::ComparisonRecord& comparison) {
    std::vector<const records::StrategyRow*> rows{&comparison.base};
    for (const records::StrategyRow& row : comparison.strategies) rows.push_back(&row);
    return rows;
}

std::vector<Column> columns() {
    return {model_column(),
            budget_column(),
            {"Strategy", "strategy", false},
            {"Latency", "measured_us"},
            {"Its 95 % interval, half", "ci95_us", true, Show::csv_only},
            {"Against base", "latency_ratio"},
            {"Its 95 % interval, half", "latency_ratio_ci95", true, Show::csv_only},
            {"Utilization", "utilization"},
            {"Utilization, ×\u00a0base", "utilization_ratio"},
            {"Parameters", "params"},
            {"MACs", "macs"},
            {"Memory", "memory_bytes"},
            {"Gain", "gain"},
            {"Accuracy, top-1", "accuracy_pct"},
            {"Its standard deviation, points", "accuracy_deviation_points", true, Show::csv_only},
            {"Seeds", "accuracy_seeds", true, Show::csv_only},
            {"Dominates", "dominates", false, Show::csv_only},
            {"Equals, within noise", "equal_to", false, Show::csv_only}};
}

// "92.34 ± 0.12 % (3)"; hundredths of a point, since seeds differ by tenths.
std::string accuracy_text(const records::StrategyRow& row) {
    const std::string spread =
        row.accuracy->deviation ? fmt::format(" ± {:.2f}", *row.accuracy->deviation) : std::string();
    return fmt::format("{:.2f}{} % ({})", row.accuracy->mean, spread, row.accuracy->seeds);
}

std::optional<int> seeds_of(const records::StrategyRow& row) {
    return row.accuracy ? std::optional(row.accuracy->seeds) : std::nullopt;
}

Cell names_cell(const std::vector<std::string>& names) {
    if (names.empty()) return text_cell("");
    return text_cell(fmt::format("{}", fmt::join(names, ", ")), fmt::format("{}", fmt::join(names, " ")));
}

TableRow verdict_row(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    const auto measured = [&row](double us) { return latency(us, row.ci95_us); };
    const auto half_width = [](double us) { return latency(us); };
    // The base, and what is the same network, has no interval.
    const auto against = [&row](double value) { return percent_change(value - 1.0, row.latency_ratio_ci95); };
    const auto count = [](double value) { return scaled(value); };
    const auto bytes = [](double value) { return scaled(value, "B"); };
    const auto three = [](double value) { return significant(value); };
    const auto accuracy = [&row](double) { return accuracy_text(row); };
    TableRow out;
    out.mark = &row == &comparison.base     ? RowMark::base
               : !row.ok()                  ? RowMark::excluded
               : row.strategy == "hacscale" ? RowMark::own_choice
                                            : RowMark::none;
    out.cells = {model_cell(comparison),
                 budget_cell(comparison),
                 text_cell(row.strategy),
                 number_cell(row.measured_us, measured),
                 number_cell(row.ci95_us, half_width),
                 number_cell(row.latency_ratio, against),
                 number_cell(row.latency_ratio_ci95, percent),
                 number_cell(row.utilization, percent),
                 number_cell(row.utilization_ratio, ratio),
                 number_cell(row.params, count),
                 number_cell(row.macs, count),
                 number_cell(row.memory_bytes, bytes),
                 number_cell(row.gain, three),
                 number_cell(row.mean_accuracy(), accuracy),
                 number_cell(row.accuracy ? row.accuracy->deviation : std::nullopt, three),
                 integer_cell(seeds_of(row)),
                 names_cell(row.dominates),
                 names_cell(row.equal_to)};
    return out;
}

bool names(const std::vector<std::string>& list, const records::StrategyRow& row) {
    return std::find(list.begin(), list.end(), row.strategy) != list.end();
}

std::vector<const records::StrategyRow*> measured_networks(const records::ComparisonRecord& comparison) {
    std::vector<const records::StrategyRow*> networks;
    for (const DistinctNetwork& network : distinct_networks(comparison)) {
        if (network.row().measured_us) networks.push_back(&network.row());
    }
    return networks;
}

// "capacity" where gain is of the networks' sizes alone, which says nothing of their accuracy.
std::string gain_in_words(const records::ComparisonRecord& comparison) {
    return comparison.gain_origin.empty() || comparison.gain_origin == "capacity" ? "capacity" : "gain";
}

// Of what is measured, the networks that no other is better than.
std::string leaders_of(const std::vector<const records::StrategyRow*>& networks) {
    std::vector<std::string> leaders;
    for (const records::StrategyRow* row : networks) {
        const bool beaten =
            std::any_of(networks.begin(), networks.end(),
                        [&](const records::StrategyRow* other) { return names(other->dominates, *row); });
        if (!beaten) leaders.push_back(row->strategy);
    }
    return fmt::format("{}", fmt::join(leaders, ", "));
}

Paragraph standing_of(const records::ComparisonRecord& comparison,
                      const std::vector<const records::StrategyRow*>& networks) {
    if (!comparison.judged) {
        return {
            "This record does not say which strategies are better than which. The command that makes one "
            "that "
            "does:",
            "hacscale compare MODEL --table TABLE --json"};
    }
    if (networks.empty()) return {"Nothing was measured, so no strategy is said to be better than another."};
    if (networks.size() == 1) return {"Every strategy that was measured keeps the base."};
    return {fmt::format("No network has more {} at no more latency than: {}.", gain_in_words(comparison),
                        leaders_of(networks))};
}

// Network against network, whose columns are numbered as the rows are.
Table matrix_of(const records::ComparisonRecord& comparison,
                const std::vector<const records::StrategyRow*>& networks) {
    Table table;
    table.caption = fmt::format(
        "Each network against each other. more: more {} at no more latency, or as much at less, by more than "
        "noise; less: the reverse; same: within noise; mixed: neither",
        gain_in_words(comparison));
    table.folded = true;
    table.columns = {{"Network", "", false}};
    for (std::size_t i = 0; i < networks.size(); ++i) {
        table.columns.push_back({std::to_string(i + 1), "", false});
    }
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const records::StrategyRow& row = *networks[i];
        TableRow out;
        out.cells.push_back(text_cell(fmt::format("{} {}", i + 1, row.strategy)));
        for (const records::StrategyRow* other : networks) {
            const char* relation = other == &row                  ? absent
                                   : names(row.dominates, *other) ? "more"
                                   : names(other->dominates, row) ? "less"
                                   : names(row.equal_to, *other)  ? "same"
                                                                  : "mixed";
            out.cells.push_back(text_cell(relation));
        }
        out.mark = &row == &comparison.base     ? RowMark::base
                   : row.strategy == "hacscale" ? RowMark::own_choice
                                                : RowMark::none;
        table.rows.push_back(std::move(out));
    }
    return table;
}

// The same networks in other runtimes; a row each.
Table elsewhere_of(const records::ComparisonRecord& comparison,
                   const std::vector<const records::StrategyRow*>& rows) {
    Table table;
    table.caption =
        "The same networks in other runtimes, each timed there in turns with the base: does what was chosen "
        "here pay there, too?";
    table.csv_file = "elsewhere.csv";
    table.columns = {model_column(),
                     budget_column(),
                     {"Strategy", "strategy", false},
                     {"Runtime", "runtime", false},
                     {"Latency there", "latency_us"},
                     {"Against base, there", "latency_ratio"},
                     {"Against base, here", "latency_ratio_here"},
                     {"Within the budget, there", "within_budget", false},
                     {"Remark", "reason", false}};
    for (const records::StrategyRow* row : rows) {
        for (const records::OtherLatency& other : row->elsewhere) {
            const auto change = [](double value) { return percent_change(value - 1.0, std::nullopt); };
            TableRow out;
            out.mark = row == &comparison.base       ? RowMark::base
                       : row->strategy == "hacscale" ? RowMark::own_choice
                                                     : RowMark::none;
            out.cells = {model_cell(comparison),
                         budget_cell(comparison),
                         text_cell(row->strategy),
                         text_cell(other.runtime),
                         number_cell(other.latency_us, [](double us) { return latency(us); }),
                         number_cell(other.latency_ratio, change),
                         number_cell(row->latency_ratio, change),
                         text_cell(!other.latency_ratio                             ? ""
                                   : records::keeps_budget_there(comparison, other) ? "yes"
                                                                                    : "no"),
                         text_cell(other.reason)};
            table.rows.push_back(std::move(out));
        }
    }
    return table;
}

}  // namespace

Section verdict_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const std::vector<const records::StrategyRow*> rows = verdict_rows(comparison);
    Section section;
    section.heading = "Verdict";
    const std::vector<const records::StrategyRow*> networks = measured_networks(comparison);
    section.parts.push_back(standing_of(comparison, networks));
    Table table;
    table.caption = fmt::format(
        "{} {}: figures with their intervals. Memory: weights, and the activations alive together at most.",
        comparison.model, at_budget(comparison.budget));
    table.csv_file = "verdict.csv";
    table.columns = columns();
    for (const records::StrategyRow* row : rows) table.rows.push_back(verdict_row(comparison, *row));
    fold_rows(table, rows, comparison);
    section.parts.push_back(std::move(table));
    if (comparison.judged && networks.size() > 1) section.parts.push_back(matrix_of(comparison, networks));
    if (!comparison.base.elsewhere.empty()) section.parts.push_back(elsewhere_of(comparison, rows));
    const bool any_accuracy = std::any_of(
        rows.begin(), rows.end(), [](const records::StrategyRow* row) { return row->accuracy.has_value(); });
    if (any_accuracy) {
        section.parts.push_back(Paragraph{fmt::format(
            "Accuracies{} are means over seeds ± the standard deviation (number of seeds), on the test set.",
            records::origin_text(comparison.accuracies))});
    }
    return section;
}

}  // namespace hacscale::report
