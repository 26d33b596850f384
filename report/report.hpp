// What people look at: one run's records as a self-contained page (report.html, opens from disk with no
// network), as Markdown (report.md), as CSV files for spreadsheets and as one JSON file. All show the same
// tables, built once (document/). Several runs go on one page, side by side (side-by-side.html and the like).
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

// Enters the rows of the table that the run's records lack; layers get the occupancies of their rows.
void add_rows(ReportData& data, std::vector<MeasuredRow> rows);

void write_html(const ReportData& data, std::ostream& out);
void write_markdown(const ReportData& data, std::ostream& out);
// One CSV file a table: strategies.csv, front.csv, staircases.csv, ... Full precision, units in the column
// names; rows of all models and budgets together. Returns the paths written. WorkError when a file cannot be
// written.
std::vector<std::filesystem::path> write_csv(const ReportData& data, const std::filesystem::path& folder);

// report.html, report.md, report.json and the CSV files into `folder`, which is made. Each file is replaced
// as a whole.
std::vector<std::filesystem::path> write_report(const ReportData& data, const std::filesystem::path& folder);
// Into the folder of the records themselves.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& folder);

// side-by-side.html, .md, .json and CSV files. The first run is what the others are compared with. InputError
// when there are not 2 to 26, or one shares nothing with the first.
std::vector<std::filesystem::path> write_side_by_side(const std::vector<ReportData>& runs,
                                                      const std::filesystem::path& folder);

// The comparisons among the records in `folder`, compare-*.json, sorted; none where there is no such folder.
std::vector<std::filesystem::path> comparison_files(const std::filesystem::path& folder);

// The folders of records that `folder` stands for: itself, or those of its devices and states below it. Empty
// when there are none.
std::vector<std::filesystem::path> record_folders(const std::filesystem::path& folder);

}  // namespace hacscale::report

namespace hacscale {

using report::add_rows;
using report::comparison_files;
using report::load_report;
using report::record_folders;
using report::ReportData;
using report::write_csv;
using report::write_html;
using report::write_markdown;
using report::write_report;
using report::write_side_by_side;

}  // namespace hacscale
