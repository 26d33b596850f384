// How complete the table behind the report is: rows by status, and every row that is not in order with its
// reason.
#include <fmt/format.h>

#include <map>

#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::size_t measurements_page_limit = 40;

Table incomplete_rows(const std::vector<records::MeasuredRow>& rows) {
    Table table;
    table.csv_file = "incomplete_rows.csv";
    table.folded = true;
    table.columns = {{"Layer", "layer", false},
                     {"Cache state", "cache", false},
                     {"Batch", "batch"},
                     {"Type", "dtype", false},
                     {"Status", "status", false},
                     {"Latency", "latency_us"},
                     {"Its 95 % interval, half", "ci95_us", true, Show::csv_only},
                     {"Reason", "reason", false}};
    for (const records::MeasuredRow& row : rows) {
        if (row.status == "ok") continue;
        TableRow out;
        out.cells = {text_cell(row.layer),
                     text_cell(row.cache),
                     number_cell(static_cast<double>(row.batch), whole),
                     text_cell(row.dtype),
                     text_cell(row.status),
                     number_cell(row.latency_us, [&](double us) { return latency(us, row.ci95_us); }),
                     number_cell(row.ci95_us, [](double us) { return latency(us); }),
                     text_cell(row.reason)};
        table.rows.push_back(std::move(out));
    }
    for (std::size_t i = 0; table.rows.size() > measurements_page_limit && i < measurements_page_limit; ++i) {
        table.page_rows.push_back(i);
    }
    table.caption =
        table.page_rows.empty()
            ? fmt::format("The {} rows that are not in order", table.rows.size())
            : fmt::format("The first {} of {} rows that are not in order; incomplete_rows.csv has all",
                          measurements_page_limit, table.rows.size());
    return table;
}

}  // namespace

Section measurements_section(const Scene& scene) {
    const char* heading = "The table behind it";
    if (!scene.records.rows) {
        return absent_section(heading, "table.json",
                              "hacscale table query FOLDER/table.db --json > FOLDER/table.json");
    }
    const std::vector<records::MeasuredRow>& rows = *scene.records.rows;
    std::map<std::string, int> by_status;
    for (const records::MeasuredRow& row : rows) ++by_status[row.status];
    std::string counts;
    for (const auto& [status, count] : by_status) {
        counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", whole(count), status);
    }
    Section section;
    section.heading = heading;
    section.parts.push_back(
        Paragraph{fmt::format("{} rows measured{}.", whole(static_cast<double>(rows.size())),
                              counts.empty() ? "" : ": " + counts)});
    if (by_status["ok"] < static_cast<int>(rows.size())) section.parts.push_back(incomplete_rows(rows));
    return section;
}

}  // namespace hacscale::report
