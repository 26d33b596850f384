// Latency and utilization over width, one stage at a time, with the steps that cost nothing marked.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::optional<records::StaircaseStep> at_width(const records::StaircaseRow& staircase,
                                               std::optional<int> width) {
    const std::vector<records::StaircaseStep> points = staircase.known_points();
    const auto found = std::find_if(points.begin(), points.end(), [&](const records::StaircaseStep& point) {
        return width && point.width == *width;
    });
    return found == points.end() ? std::nullopt : std::optional(*found);
}

Cell latency_cell(const std::optional<records::StaircaseStep>& point) {
    const auto time = [](double us) { return latency(us); };
    return number_cell(point ? std::optional(point->latency.latency_us) : std::nullopt, time);
}

Cell utilization_cell(const std::optional<records::StaircaseStep>& point) {
    return number_cell(point ? point->utilization : std::nullopt, percent);
}

Table free_steps(const records::ComparisonRecord& comparison) {
    Table table;
    table.caption =
        "Free steps: the widest width of each stage whose latency is the base’s within measurement noise";
    table.csv_file = "free_steps.csv";
    table.columns = {model_column(),
                     {"Stage", "stage", false},
                     {"Base width", "base_width"},
                     {"Free width", "free_width"},
                     {"Stage latency, base width", "base_latency_us"},
                     {"Stage latency, free width", "free_latency_us"},
                     {"Utilization, base width", "base_utilization"},
                     {"Utilization, free width", "free_utilization"},
                     {"Parameters gained", "params_gained"}};
    for (const records::StaircaseRow& staircase : comparison.staircases) {
        const std::optional<records::StaircaseStep> base = at_width(staircase, staircase.base_width);
        const std::optional<records::StaircaseStep> free = at_width(staircase, staircase.free_width);
        std::optional<double> gained;
        if (base && free && base->params && free->params) {
            gained = static_cast<double>(*free->params - *base->params);
        }
        TableRow row;
        row.cells = {model_cell(comparison),
                     text_cell(staircase.stage_name()),
                     integer_cell(staircase.base_width),
                     integer_cell(staircase.free_width),
                     latency_cell(base),
                     latency_cell(free),
                     utilization_cell(base),
                     utilization_cell(free),
                     number_cell(gained, [](double params) { return scaled(params); })};
        table.rows.push_back(std::move(row));
    }
    return table;
}

Table all_points(const records::ComparisonRecord& comparison) {
    Table table;
    table.caption = "Every width of every stage, the rest of the network at the base";
    table.csv_file = "staircases.csv";
    table.folded = true;
    table.columns = {model_column(),
                     {"Stage", "stage", false},
                     {"Width", "width"},
                     {"Stage latency", "latency_us"},
                     {"Utilization", "utilization"},
                     {"Parameters", "params"},
                     {"Estimate", "estimate", false},
                     {"Mark", "mark", false}};
    for (const records::StaircaseRow& staircase : comparison.staircases) {
        for (const records::StaircaseStep& point : staircase.known_points()) {
            const bool base = point.width == staircase.base_width;
            const bool free = staircase.free_width && point.width == *staircase.free_width;
            const std::string mark = base && free ? "base, free" : base ? "base" : free ? "free" : "";
            TableRow row;
            row.mark = base ? RowMark::base : free ? RowMark::own_choice : RowMark::none;
            row.cells = {model_cell(comparison),
                         text_cell(staircase.stage_name()),
                         integer_cell(point.width),
                         number_cell(point.latency.latency_us, [](double us) { return latency(us); }),
                         number_cell(point.utilization, percent),
                         number_cell(point.params, [](double params) { return scaled(params); }),
                         text_cell(std::string(name_of(point.latency.kind))),
                         {mark, mark, false}};
            table.rows.push_back(std::move(row));
        }
    }
    return table;
}

}  // namespace

Section staircases_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    if (comparison.staircases.empty() && !comparison.width_names.empty()) {
        return graph_section("Latency over width", "staircases");
    }
    if (comparison.staircases.empty()) {
        return absent_section("Latency over width", "staircases in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = "Latency over width, stage by stage";
    section.parts.push_back(Paragraph{
        "Hardware works in tiles, so latency climbs in steps while the work grows smoothly. Widths up to the "
        "free width are had at no cost."});
    section.parts.push_back(free_steps(comparison));
    for (const records::StaircaseRow& staircase : comparison.staircases) {
        if (!staircase.known_points().empty()) section.parts.push_back(staircase_chart(staircase));
    }
    section.parts.push_back(all_points(comparison));
    return section;
}

}  // namespace hacscale::report
