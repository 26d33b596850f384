// What people look at: one run's records as a self-contained page (report.html, opens from disk with no
// network), as Markdown (report.md) and as CSV files for spreadsheets. All three show the same tables, built
// once (document/).
#pragma once

#include <filesystem>
#include <iosfwd>
#include <vector>

#include "report/records/records.hpp"

namespace hacscale::report {

using ReportData = Records;

// Reads the records in `folder` (docs/formats.md, "Records of a run"). InputError names the file and key that
// is missing or malformed. Records that a run may lack are left out, and the report says which command makes
// them.
ReportData load_report(const std::filesystem::path& folder);

void write_html(const ReportData& data, std::ostream& out);
void write_markdown(const ReportData& data, std::ostream& out);
// One CSV file a table: strategies.csv, front.csv, staircases.csv, ... Full precision, units in the column
// names; rows of all models and budgets together. Returns the paths written. WorkError when a file cannot be
// written.
std::vector<std::filesystem::path> write_csv(const ReportData& data, const std::filesystem::path& folder);

// report.html, report.md and the CSV files into the folder of the records. Each file is replaced as a whole.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& folder);

}  // namespace hacscale::report

namespace hacscale {

using report::load_report;
using report::ReportData;
using report::write_csv;
using report::write_html;
using report::write_markdown;
using report::write_report;

}  // namespace hacscale
