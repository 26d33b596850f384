// Layer by layer between the first run and each other: the layers of their networks, and the rows of their
// tables.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/document/document.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::size_t page_rows_limit = 40;  // the largest changes; the CSV file has all

std::string summary_of(const std::vector<LayerRatio>& ratios, const std::string& letter) {
    int slower = 0;
    int faster = 0;
    bool any_certain = false;
    double log_sum = 0.0;
    for (const LayerRatio& ratio : ratios) {
        log_sum += std::log(ratio.ratio);
        any_certain = any_certain || ratio.certain;
        if (ratio.significant && ratio.certain) ++(ratio.ratio > 1.0 ? slower : faster);
    }
    const double mean = std::exp(log_sum / static_cast<double>(ratios.size()));
    if (!any_certain) {
        return fmt::format(
            "The geometric mean of {} over A is {}, over {}. Their intervals are not known: the runs’ tables "
            "have "
            "no rows of them.",
            letter, ratio(mean), whole(static_cast<double>(ratios.size())));
    }
    return fmt::format(
        "{0} of {1} are slower and {2} faster on {3} than on A by more than both intervals; the geometric "
        "mean of "
        "{3} over A is {4}.",
        whole(slower), whole(static_cast<double>(ratios.size())), whole(faster), letter, ratio(mean));
}

// What is beyond doubt first.
std::vector<std::size_t> page_rows(const std::vector<LayerRatio>& ratios) {
    std::vector<std::size_t> rows;
    for (const bool beyond_noise : {true, false}) {
        for (std::size_t i = 0; i < ratios.size() && rows.size() < page_rows_limit; ++i) {
            if ((ratios[i].significant && ratios[i].certain) == beyond_noise) rows.push_back(i);
        }
    }
    return rows;
}

Table table_of(const std::vector<LayerRatio>& ratios, const std::string& letter, bool of_networks) {
    const Show here = of_networks ? Show::everywhere : Show::csv_only;
    Table table;
    table.csv_file = of_networks ? "layer_ratios.csv" : "row_ratios.csv";
    table.columns = {{"Layer", "name", false},
                     {"Network", "model", false, here},
                     {"Run", "run", false, Show::csv_only},
                     {"Latency, A", "a_us"},
                     {"Latency, " + letter, "b_us"},
                     {letter + " over A", "ratio"},
                     {"From", "ratio_low", true, Show::csv_only},
                     {"To", "ratio_high", true, Show::csv_only},
                     {"Of the network’s time, A", "share", true, here},
                     {of_networks ? "Key" : "State", of_networks ? "key" : "state", false}};
    const auto time = [](double us) { return latency(us); };
    for (const LayerRatio& one : ratios) {
        TableRow row;
        row.cells = {text_cell(one.name), text_cell(one.network), text_cell(letter),
                     number_cell(one.a_us, time), number_cell(one.b_us, time)};
        add_ratio_cells(one, one.certain, row);
        row.cells.push_back(number_cell(of_networks ? std::optional(one.share) : std::nullopt, percent));
        row.cells.push_back(text_cell(one.key));
        table.rows.push_back(std::move(row));
    }
    if (table.rows.size() > page_rows_limit) table.page_rows = page_rows(ratios);
    table.caption =
        table.page_rows.empty()
            ? fmt::format("{} beside A, largest ratios first", letter)
            : fmt::format("{} beside A: the {} largest of {} ratios, those beyond noise first; {} has all",
                          letter, table.page_rows.size(), whole(static_cast<double>(ratios.size())),
                          table.csv_file);
    return table;
}

using Ratios = std::vector<LayerRatio> (*)(const records::RunRecords&, const records::RunRecords&);

void add_pairs(const Runs& runs, Ratios ratios_of, bool of_networks, const std::string& absent,
               Section& section) {
    const std::vector<std::string> names = names_of(runs);
    for (std::size_t i = 1; i < runs.size(); ++i) {
        const std::vector<LayerRatio> ratios = ratios_of(runs.front(), runs[i]);
        const std::string letter = letter_of(i);
        Section pair{.id = fmt::format("{}-{}", section.id, i),
                     .heading = fmt::format("{} ({}) beside A", letter, names[i]),
                     .parts = {},
                     .sections = {}};
        if (ratios.empty()) {
            pair.parts.push_back(Paragraph{absent});
        } else {
            pair.parts.push_back(Paragraph{summary_of(ratios, letter)});
            pair.parts.push_back(ratios_chart(ratios, letter, of_networks));
            pair.parts.push_back(table_of(ratios, letter, of_networks));
        }
        section.sections.push_back(std::move(pair));
    }
}

}  // namespace

std::string ratio_text(const LatencyRatio& over, bool certain) {
    if (!certain) return ratio(over.ratio);
    return fmt::format("{} ({} to {}{})", ratio(over.ratio), significant(over.ratio_low),
                       significant(over.ratio_high), over.significant ? "" : ", within noise");
}

void add_ratio_cells(const std::optional<LatencyRatio>& over, bool certain, TableRow& row) {
    const auto figure = [&](double LatencyRatio::*value, bool known) {
        return over && known ? std::optional((*over).*value) : std::nullopt;
    };
    const auto end = [](double value) { return significant(value); };
    row.cells.push_back(
        number_cell(figure(&LatencyRatio::ratio, true), [&](double) { return ratio_text(*over, certain); }));
    row.cells.push_back(number_cell(figure(&LatencyRatio::ratio_low, certain), end));
    row.cells.push_back(number_cell(figure(&LatencyRatio::ratio_high, certain), end));
}

Section layer_ratios_section(const Runs& runs) {
    Section section{.id = "layers", .heading = "Layers of the networks", .parts = {}, .sections = {}};
    section.parts.push_back(Paragraph{
        "The layers of the networks as they are, matched by name, so that each device’s own layout counts."});
    add_pairs(runs, layer_ratios, true, "These two runs hold no layers of a network that both have.",
              section);
    return section;
}

Section row_ratios_section(const Runs& runs) {
    Section section{.id = "rows", .heading = "Rows of the tables", .parts = {}, .sections = {}};
    section.parts.push_back(Paragraph{
        "Every row that both tables hold in one state, other widths than the networks’ own included."});
    add_pairs(runs, row_ratios, false,
              "These two runs hold no row of one layer and state that has a latency in both.", section);
    return section;
}

}  // namespace hacscale::report
