#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

Table peak_table(const records::ComparisonRecord& comparison) {
    const PeakRecord& peak = *comparison.peak;
    Table table;
    table.caption =
        "The device’s ceilings, measured through the same library, and the nominal figures where known";
    table.csv_file = "peak.csv";
    table.columns = {model_column(),
                     budget_column(),
                     {"Ceiling", "ceiling", false},
                     {"Measured", "measured_per_s"},
                     {"Nominal", "nominal_per_s"},
                     {"Measured of nominal", "fraction"}};
    const auto add = [&](const std::string& name, const std::string& csv_name, const char* unit,
                         double measured, const std::optional<double>& nominal) {
        const auto rate = [unit](double value) { return scaled(value, unit); };
        std::optional<double> fraction;
        if (nominal) fraction = measured / *nominal;
        TableRow row;
        row.cells = {model_cell(comparison),      budget_cell(comparison),    text_cell(name, csv_name),
                     number_cell(measured, rate), number_cell(nominal, rate), number_cell(fraction, percent)};
        table.rows.push_back(std::move(row));
    };
    add("Arithmetic", "flops", "FLOP/s", peak.flops_per_s, peak.nominal_flops_per_s);
    add("Memory bandwidth", "bytes", "B/s", peak.bytes_per_s, peak.nominal_bytes_per_s);
    return table;
}

}  // namespace

Section roofline_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const char* heading = "Roofline";
    const bool any_layer =
        std::any_of(comparison.layers.begin(), comparison.layers.end(),
                    [](const records::LayerRow& layer) { return layer.latency_us() && layer.macs > 0; });
    if (!comparison.peak) {
        return absent_section(heading, "measured peak in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = heading;
    if (any_layer) section.parts.push_back(roofline_chart(comparison));
    section.parts.push_back(peak_table(comparison));
    return section;
}

}  // namespace hacscale::report
