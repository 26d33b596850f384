// Predicted against measured: the check that decides whether the table can be trusted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

using Networks = std::vector<records::VerifiedModel>;

Table summary_of(const Networks& networks) {
    std::map<std::string_view, Networks> by_cache;
    for (const records::VerifiedModel& network : networks)
        by_cache[name_of(network.record.cache)].push_back(network);
    Table table;
    table.caption = "Errors of the prediction, by the cache state of the rows summed";
    table.csv_file = "prediction_errors.csv";
    table.columns = {{"Cache state", "cache", false},         {"Networks", "networks"},
                     {"Median |error|", "median_error"},      {"Worst |error|", "worst_error"},
                     {"Worst network", "worst_model", false}, {"Within 3 %", "within_3_pct"},
                     {"Within 8 %", "within_8_pct"}};
    for (const auto& [cache, group] : by_cache) {
        std::vector<double> errors;
        for (const records::VerifiedModel& network : group)
            errors.push_back(std::abs(records::error_share(network.record)));
        const auto worst = std::max_element(errors.begin(), errors.end());
        const auto within = [&](double bound) {
            return static_cast<double>(std::count_if(errors.begin(), errors.end(),
                                                     [bound](double error) { return error <= bound; }));
        };
        TableRow row;
        row.cells = {text_cell(std::string(cache)),
                     number_cell(static_cast<double>(group.size()), whole),
                     number_cell(median(errors), percent),
                     number_cell(*worst, percent),
                     text_cell(group[static_cast<std::size_t>(worst - errors.begin())].record.model),
                     number_cell(within(0.03), whole),
                     number_cell(within(0.08), whole)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

Table prediction_table(const Networks& networks) {
    Table table;
    table.caption = "Each network: the sum of its layers in the table beside the whole network on the device";
    table.csv_file = "verify.csv";
    table.columns = {{"Network", "model", false},
                     {"Role", "role", false},
                     {"Cache state", "cache", false},
                     {"Batch", "batch"},
                     {"Type", "dtype", false},
                     {"Predicted", "predicted_us"},
                     {"Measured", "measured_us"},
                     {"Its 95 % interval, half", "ci95_us", true, Show::csv_only},
                     {"Error", "error"}};
    for (const records::VerifiedModel& network : networks) {
        TableRow row;
        row.cells = {text_cell(network.record.model),
                     text_cell(network.role),
                     text_cell(std::string(name_of(network.record.cache))),
                     number_cell(static_cast<double>(network.record.batch), whole),
                     text_cell(std::string(name_of(network.record.type))),
                     number_cell(network.record.predicted_us, [](double us) { return latency(us); }),
                     number_cell(network.record.measured_us,
                                 [&](double us) { return latency(us, interval_of(network)); }),
                     number_cell(interval_of(network), [](double us) { return latency(us); }),
                     number_cell(records::error_share(network.record), signed_percent)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

Section prediction_section(const Scene& scene) {
    const char* heading = "Predicted against measured";
    Networks networks = checked_networks(scene.records);
    if (networks.empty()) {
        return absent_section(heading, "network measured beside its prediction",
                              "hacscale verify --all --table TABLE --json > FOLDER/verify.json");
    }
    std::stable_sort(networks.begin(), networks.end(),
                     [](const records::VerifiedModel& a, const records::VerifiedModel& b) {
                         return std::pair(name_of(a.record.cache), a.record.measured_us) <
                                std::pair(name_of(b.record.cache), b.record.measured_us);
                     });
    Section section;
    section.heading = heading;
    if (!scene.records.verification || scene.records.verification->models.empty()) {
        section.parts.push_back(Paragraph{
            "The run ended before it wrote verify.json: these are the networks that its comparisons "
            "measured, each once a budget."});
    }
    section.parts.push_back(summary_of(networks));
    section.parts.push_back(prediction_chart(networks));
    section.parts.push_back(prediction_error_chart(networks));
    section.parts.push_back(prediction_table(networks));
    return section;
}

}  // namespace hacscale::report
