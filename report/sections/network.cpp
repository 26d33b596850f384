// Where the time goes: the layers of the base and of the HACScale choice, as a strip and as a table.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::size_t network_page_limit = 40;  // the slowest layers; the CSV file has all, in running order

bool has_occupancy(const records::LayerRow& layer) {
    return layer.occupancy_theoretical || layer.occupancy_achieved;
}

Table network_table(const records::ComparisonRecord& comparison) {
    const bool any_occupancy = std::any_of(comparison.layers.begin(), comparison.layers.end(), has_occupancy);
    const Show occupancy = any_occupancy ? Show::everywhere : Show::csv_only;
    Table table;
    table.csv_file = "layers.csv";
    table.folded = true;
    table.columns = {model_column(),
                     budget_column(),
                     {"Network", "spec", false},
                     {"Layer", "name", false},
                     {"Stage", "stage", false},
                     {"Kind", "kind", false},
                     {"Latency", "latency_us"},
                     {"Utilization", "utilization"},
                     {"Roofline efficiency", "roofline_efficiency"},
                     {"Occupancy, theoretical", "occupancy_theoretical", true, occupancy},
                     {"Occupancy, achieved", "occupancy_achieved", true, occupancy},
                     {"MACs", "macs"},
                     {"Bytes", "bytes"},
                     {"Estimate", "estimate", false},
                     {"Implementation", "implementation", false},
                     {"Key", "key", false}};
    const auto count = [](double value) { return scaled(value); };
    for (const records::LayerRow& layer : comparison.layers) {
        TableRow row;
        row.cells = {
            model_cell(comparison),
            budget_cell(comparison),
            text_cell(layer.spec),
            text_cell(layer.name),
            text_cell(layer.stage_name()),
            text_cell(layer_kind(layer.key)),
            number_cell(layer.latency_us(), [](double us) { return latency(us); }),
            number_cell(layer.utilization, percent),
            number_cell(layer.roofline_efficiency, percent),
            number_cell(layer.occupancy_theoretical, percent),
            number_cell(layer.occupancy_achieved, percent),
            number_cell(static_cast<double>(layer.macs), count),
            number_cell(static_cast<double>(layer.bytes), [](double bytes) { return scaled(bytes, "B"); }),
            text_cell(std::string(name_of(layer.latency.kind))),
            text_cell(layer.implementation),
            text_cell(layer.key)};
        table.rows.push_back(std::move(row));
    }
    std::vector<std::size_t> order(table.rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return comparison.layers[a].latency_us().value_or(0.0) >
               comparison.layers[b].latency_us().value_or(0.0);
    });
    if (order.size() > network_page_limit) order.resize(network_page_limit);
    table.page_rows = std::move(order);
    table.caption = table.page_rows.size() < table.rows.size()
                        ? fmt::format("The {} slowest of {} layers; layers.csv has all in running order",
                                      table.page_rows.size(), table.rows.size())
                        : fmt::format("The {} layers, slowest first", table.rows.size());
    return table;
}

}  // namespace

Section network_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const char* heading = "Where the time goes";
    if (comparison.layers.empty()) {
        return absent_section(heading, "layers in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = heading;
    std::string missing;
    int missing_count = 0;
    for (const records::LayerRow& layer : comparison.layers) {
        if (layer.latency_us()) continue;
        if (missing_count == 0) missing = layer.key;
        ++missing_count;
    }
    if (missing_count > 0) {
        section.parts.push_back(Notice{fmt::format(
            "{} layer{} no latency in the table (the first is {}); hacscale profile measures them.",
            missing_count, missing_count == 1 ? " has" : "s have", missing)});
    }
    const bool any_latency =
        std::any_of(comparison.layers.begin(), comparison.layers.end(),
                    [](const records::LayerRow& layer) { return layer.latency_us().has_value(); });
    if (any_latency) section.parts.push_back(network_chart(comparison));
    const bool any_achieved = std::any_of(
        comparison.layers.begin(), comparison.layers.end(),
        [](const records::LayerRow& layer) { return layer.latency_us() && layer.occupancy_achieved; });
    if (any_achieved) section.parts.push_back(occupancy_chart(comparison));
    section.parts.push_back(network_table(comparison));
    return section;
}

}  // namespace hacscale::report
