#include <fmt/format.h>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// A front has thousands of points on large spaces; the page shows an even selection with both ends, the CSV
// file all.
constexpr std::size_t front_page_limit = 24;

std::vector<std::size_t> selection_of(std::size_t count) {
    std::vector<std::size_t> indices;
    if (count <= front_page_limit) return indices;
    for (std::size_t i = 0; i < front_page_limit; ++i) {
        indices.push_back(i * (count - 1) / (front_page_limit - 1));
    }
    return indices;
}

Table front_table(const records::ComparisonRecord& comparison) {
    Table table;
    table.csv_file = "front.csv";
    table.folded = true;
    table.columns = {model_column(),
                     budget_column(),
                     {"Latency, predicted", "latency_us"},
                     {"Gain", "gain"},
                     {"Parameters", "params"},
                     {"Depths", "depths", false},
                     {"Widths", "widths", false},
                     {"Resolution", "resolution_px"}};
    for (const records::FrontPoint& point : comparison.front) {
        TableRow row;
        row.cells = {model_cell(comparison),
                     budget_cell(comparison),
                     number_cell(point.latency_us, [](double us) { return latency(us); }),
                     number_cell(point.gain, [](double gain) { return significant(gain); }),
                     number_cell(point.params, [](double params) { return scaled(params); }),
                     depths_cell(point.choice),
                     widths_cell(point.choice),
                     resolution_cell(point.choice)};
        table.rows.push_back(std::move(row));
    }
    table.page_rows = selection_of(table.rows.size());
    table.caption = table.page_rows.empty()
                        ? fmt::format("The {} points of the front", table.rows.size())
                        : fmt::format("{} of the front’s {} points, evenly chosen; front.csv has all",
                                      table.page_rows.size(), whole(static_cast<double>(table.rows.size())));
    return table;
}

}  // namespace

Section front_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const char* heading = "Pareto front";
    if (comparison.front.empty()) {
        return absent_section(heading, "front in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = heading;
    section.parts.push_back(front_chart(comparison));
    section.parts.push_back(front_table(comparison));
    return section;
}

}  // namespace hacscale::report
