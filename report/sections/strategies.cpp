// The strategies side by side at one budget: the base first, then those within the budget by falling gain,
// then those that are not candidates, with their reasons.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::vector<const records::StrategyRow*> in_order(const records::ComparisonRecord& comparison) {
    std::vector<const records::StrategyRow*> rows{&comparison.base};
    for (const records::StrategyRow& row : comparison.strategies) rows.push_back(&row);
    std::stable_sort(rows.begin() + 1, rows.end(),
                     [](const records::StrategyRow* a, const records::StrategyRow* b) {
                         if (a->ok() != b->ok()) return a->ok();
                         return a->gain.value_or(0.0) > b->gain.value_or(0.0);
                     });
    return rows;
}

// In the page "stage's list / stage's list", in the CSV "list;list"; a stage's is empty where they follow.
Cell inner_cell(const records::StrategyRow& row) {
    std::vector<std::string> shown;
    std::vector<std::string> csv;
    if (!row.choice) return text_cell("");
    for (const std::vector<int>& stage : row.choice->inner_widths) {
        shown.push_back(stage.empty() ? "follow" : inner_text(stage));
        csv.push_back(join(stage, " "));
    }
    return text_cell(fmt::format("{}", fmt::join(shown, " / ")), fmt::format("{}", fmt::join(csv, ";")));
}

bool any_inner(const records::ComparisonRecord& comparison) {
    return std::any_of(
        comparison.strategies.begin(), comparison.strategies.end(),
        [](const records::StrategyRow& row) { return row.choice && !row.choice->inner_widths.empty(); });
}

bool any_with(const records::ComparisonRecord& comparison, std::optional<double> UpperPercentiles::*figure) {
    const auto has = [figure](const records::StrategyRow& row) { return (row.upper.*figure).has_value(); };
    return has(comparison.base) ||
           std::any_of(comparison.strategies.begin(), comparison.strategies.end(), has);
}

// Of a network without stages the lists may be too long for a column; choice_table() has them one by one.
bool has_few(const std::vector<std::string>& names) {
    constexpr std::size_t max_in_a_column = 8;
    return names.size() <= max_in_a_column;
}

// With single images, images a second say what the latency says.
bool runs_batches(const records::ComparisonRecord& comparison) {
    return comparison.batch > 1 && images_per_s(comparison, comparison.base);
}

std::vector<Column> columns_of(const records::ComparisonRecord& comparison, bool any_accuracy) {
    const auto where = [](bool on_the_page) { return on_the_page ? Show::everywhere : Show::csv_only; };
    return {model_column(),
            budget_column(),
            {"Strategy", "strategy", false},
            {"Status", "status", false},
            {"Latency, measured", "measured_us"},
            {"Its 95 % interval, half", "ci95_us", true, Show::csv_only},
            {"Images a second", "images_per_s", true, where(runs_batches(comparison))},
            {"p95", "p95_us", true, where(any_with(comparison, &UpperPercentiles::p95))},
            {"p99", "p99_us", true, where(any_with(comparison, &UpperPercentiles::p99))},
            {"Latency against base", "latency_ratio"},
            {"Utilization", "utilization"},
            {"Utilization, ×\u00a0base", "utilization_ratio"},
            {"MACs", "macs"},
            {"MACs, ×\u00a0base", "macs_ratio"},
            {"Parameters", "params"},
            {"Parameters, ×\u00a0base", "params_ratio"},
            {"Gain", "gain"},
            {"Accuracy, top-1", "accuracy_pct", true, where(any_accuracy)},
            {"Depths", "depths", false, where(has_few(comparison.depth_names))},
            {"Widths", "widths", false, where(has_few(comparison.width_names))},
            {"Inner widths", "inner_widths", false, where(any_inner(comparison))},
            {"Resolution", "resolution_px"},
            {"Latency, predicted", "predicted_us"},
            {"Reason", "reason", false, Show::csv_only}};
}

TableRow strategies_row(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    const records::StrategyRow& base = comparison.base;
    const bool is_base = &row == &base;
    const auto measured = [&row](double us) { return latency(us, row.ci95_us); };
    const auto predicted = [](double us) { return latency(us); };
    const auto change = [](double value) { return signed_percent(value - 1.0); };
    const auto count = [](double value) { return scaled(value); };
    const auto three = [](double value) { return significant(value); };
    const auto accuracy = [](double value) { return percent(value / 100.0); };
    TableRow out;
    out.mark = is_base || row.ok() ? row_mark(comparison, row) : RowMark::excluded;
    out.cells = {
        model_cell(comparison),
        budget_cell(comparison),
        text_cell(row.strategy),
        status_cell(row.status),
        number_cell(row.measured_us, measured),
        number_cell(row.ci95_us, predicted),
        number_cell(images_per_s(comparison, row), three),
        number_cell(row.upper.p95, predicted),
        number_cell(row.upper.p99, predicted),
        number_cell(row.latency_ratio, change),
        number_cell(row.utilization, percent),
        number_cell(row.utilization_ratio ? row.utilization_ratio : over(row.utilization, base.utilization),
                    ratio),
        number_cell(row.macs, count),
        number_cell(over(row.macs, base.macs), ratio),
        number_cell(row.params, count),
        number_cell(over(row.params, base.params), ratio),
        number_cell(row.gain, three),
        number_cell(row.mean_accuracy(), accuracy),
        depths_cell(row.choice),
        widths_cell(row.choice),
        inner_cell(row),
        resolution_cell(row.choice),
        number_cell(row.predicted_us, predicted),
        text_cell(row.reason)};
    return out;
}

// Marks the largest value of a column among the rows that met the budget; ties are all marked.
void mark_best(Table& table, const std::string& csv_name) {
    std::size_t column = 0;
    while (table.columns[column].csv_name != csv_name) ++column;
    std::vector<Cell*> candidates;
    for (TableRow& row : table.rows) {
        Cell& cell = row.cells[column];
        const bool candidate = row.mark == RowMark::none || row.mark == RowMark::own_choice;
        if (candidate && std::holds_alternative<double>(cell.value)) candidates.push_back(&cell);
    }
    const auto value = [](const Cell* cell) { return std::get<double>(cell->value); };
    const auto best = std::max_element(candidates.begin(), candidates.end(),
                                       [&](const Cell* a, const Cell* b) { return value(a) < value(b); });
    if (best == candidates.end()) return;
    const double best_value = value(*best);
    for (Cell* cell : candidates) cell->best = value(cell) == best_value;
}

Table table_of(const records::ComparisonRecord& comparison, bool any_accuracy) {
    Table table;
    table.caption = fmt::format(
        "{} {}, a row for each network that was chosen. Bold: the largest among those within the budget.",
        comparison.model, at_budget(comparison.budget));
    table.csv_file = "strategies.csv";
    table.columns = columns_of(comparison, any_accuracy);
    const std::vector<const records::StrategyRow*> rows = in_order(comparison);
    for (const records::StrategyRow* row : rows) table.rows.push_back(strategies_row(comparison, *row));
    fold_rows(table, rows, comparison);
    for (const char* column : {"utilization_ratio", "macs_ratio", "params_ratio", "gain", "accuracy_pct"}) {
        mark_best(table, column);
    }
    return table;
}

// Of a network without stages: every width and depth of the choice beside the base's.
Table choice_table(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    Table table;
    table.caption = fmt::format(
        "{} {}: what {} changes, by the first layer of each group of channels and of each repeat.",
        comparison.model, at_budget(comparison.budget), row.strategy);
    table.columns = {{"Layer", "layer", false},
                     {"What", "what", false},
                     {"Base", "base"},
                     {"Choice", "choice"},
                     {"Choice, ×\u00a0base", "choice_ratio"}};
    const auto add = [&table](const std::vector<std::string>& names, const std::vector<int>& from,
                              const std::vector<int>& to, const char* what) {
        for (std::size_t i = 0; i < std::min({names.size(), from.size(), to.size()}); ++i) {
            if (from[i] == to[i]) continue;
            table.rows.push_back(
                {{text_cell(names[i]), text_cell(what), integer_cell(from[i]), integer_cell(to[i]),
                  number_cell(static_cast<double>(to[i]) / std::max(from[i], 1), ratio)}});
        }
    };
    add(comparison.width_names, comparison.base.choice->widths, row.choice->widths, "channels");
    add(comparison.depth_names, comparison.base.choice->depths, row.choice->depths, "blocks");
    constexpr std::size_t max_open_rows = 12;
    table.folded = table.rows.size() > max_open_rows;
    return table;
}

Facts reasons_of(const records::ComparisonRecord& comparison) {
    Facts facts;
    for (const DistinctNetwork& network : distinct_networks(comparison)) {
        const records::StrategyRow& row = network.row();
        if (&row == &comparison.base || row.ok()) continue;
        const std::string others = other_names(network);
        const std::string names = others.empty() ? row.strategy : row.strategy + ", " + others;
        const std::string reason = row.reason.empty() ? "no reason recorded" : row.reason;
        facts.entries.push_back({names, fmt::format("{}: {}", status_text(name_of(row.status)), reason)});
    }
    return facts;
}

}  // namespace

Section strategies_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    Section section;
    section.heading = "Strategies";
    const bool any_accuracy =
        comparison.base.accuracy ||
        std::any_of(comparison.strategies.begin(), comparison.strategies.end(),
                    [](const records::StrategyRow& row) { return row.accuracy.has_value(); });
    section.parts.push_back(table_of(comparison, any_accuracy));
    Facts reasons = reasons_of(comparison);
    if (!reasons.entries.empty()) {
        section.parts.push_back(Paragraph{"Kept in the table, but not among the candidates:"});
        section.parts.push_back(std::move(reasons));
    }
    if (!comparison.strategies.empty()) section.parts.push_back(strategies_chart(comparison));
    const records::StrategyRow* choice = comparison.hacscale();
    if (choice != nullptr && choice->choice && comparison.base.choice && !comparison.width_names.empty()) {
        Table changes = choice_table(comparison, *choice);
        if (!changes.rows.empty()) section.parts.push_back(std::move(changes));
    }
    if (choice != nullptr && !choice->spec.empty()) {
        section.parts.push_back(Code{"The HACScale choice as a model file", "yaml", choice->spec});
    }
    return section;
}

}  // namespace hacscale::report
