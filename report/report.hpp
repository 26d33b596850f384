// What people look at: one run's records as a self-contained page (report.html, opens from disk with no
// network), as Markdown (report.md), as CSV files for spreadsheets and as one JSON file. All show the same
// tables, built once (document/). Several runs go on one page, side by side (side-by-side.html and the like).
#pragma once

#include <filesystem>
#include <iosfwd>
#include <vector>

#include "records/run_folder.hpp"

namespace hacscale::report {

void write_html(const records::RunRecords& data, std::ostream& out);
void write_markdown(const records::RunRecords& data, std::ostream& out);
// One CSV file a table: strategies.csv, front.csv, staircases.csv, ... Full precision, units in the column
// names; rows of all models and budgets together. Returns the paths written. WorkError when a file cannot be
// written.
std::vector<std::filesystem::path> write_csv(const records::RunRecords& data,
                                             const std::filesystem::path& folder);

// report.html, report.md, report.json and the CSV files into `folder`, which is made. Each file is replaced
// as a whole.
std::vector<std::filesystem::path> write_report(const records::RunRecords& data,
                                                const std::filesystem::path& folder);
// Into the folder of the records themselves.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& folder);

// side-by-side.html, .md, .json and CSV files. The first run is what the others are compared with. InputError
// when there are not 2 to 26, or one shares nothing with the first.
std::vector<std::filesystem::path> write_side_by_side(const std::vector<records::RunRecords>& runs,
                                                      const std::filesystem::path& folder);

}  // namespace hacscale::report
