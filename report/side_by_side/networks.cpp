// Whole networks: the latency on each device, the ratio to the first, and the utilization.
#include <fmt/format.h>

#include "report/document/document.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::vector<Column> columns_of(std::size_t runs) {
    std::vector<Column> columns{{"Network", "model", false}};
    for (std::size_t i = 0; i < runs; ++i) {
        const std::string letter = letter_of(i);
        const std::string prefix(1, static_cast<char>('a' + i));
        columns.push_back({"Latency, " + letter, prefix + "_us"});
        columns.push_back({"Its 95 % interval, half", prefix + "_ci95_us", true, Show::csv_only});
        columns.push_back({"Source", prefix + "_source", false, Show::csv_only});
        if (i > 0) {
            columns.push_back({letter + " over A", prefix + "_over_a"});
            columns.push_back({"From", prefix + "_over_a_low", true, Show::csv_only});
            columns.push_back({"To", prefix + "_over_a_high", true, Show::csv_only});
        }
        columns.push_back({"Utilization, " + letter, prefix + "_utilization"});
    }
    return columns;
}

TableRow row_of(const Runs& runs, const std::string& model) {
    TableRow row;
    row.cells.push_back(text_cell(model));
    const std::optional<NetworkFigures> first = figures_of(runs.front(), model);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const NetworkFigures nothing;
        const std::optional<NetworkFigures> here = figures_of(runs[i], model);
        const NetworkFigures& figures = here ? *here : nothing;
        const auto time = [&](double us) {
            return latency(us, figures.ci95_us) + (figures.measured ? "" : " (predicted)");
        };
        row.cells.push_back(number_cell(here ? std::optional(figures.latency_us) : std::nullopt, time));
        row.cells.push_back(number_cell(figures.ci95_us, [](double us) { return latency(us); }));
        row.cells.push_back(text_cell(!here ? "" : figures.measured ? "measured" : "predicted"));
        if (i > 0) {
            const std::optional<LatencyRatio> over =
                first && here ? std::optional(ratio_of(*first, figures)) : std::nullopt;
            add_ratio_cells(over, figures.ci95_us && first && first->ci95_us, row);
        }
        row.cells.push_back(number_cell(figures.utilization, percent));
    }
    return row;
}

}  // namespace

Section networks_section(const Runs& runs) {
    Section section{.id = "networks", .heading = "Whole networks", .parts = {}, .sections = {}};
    Table table;
    table.caption =
        "Latency of each network as it is. The interval of a ratio follows from both latencies’ 95 % "
        "intervals; "
        "a ratio whose interval holds 1 is within noise.";
    table.csv_file = "networks.csv";
    table.columns = columns_of(runs.size());
    const std::vector<std::string> networks = networks_of(runs);
    if (networks.empty()) {
        section.parts.push_back(
            Paragraph{"Left out: no run has whole networks. The command that measures them:",
                      "hacscale verify --all --table TABLE"});
        return section;
    }
    for (const std::string& model : networks) table.rows.push_back(row_of(runs, model));
    section.parts.push_back(networks_chart(runs));
    section.parts.push_back(std::move(table));
    return section;
}

}  // namespace hacscale::report
