// The output formats: each writes the same Document down, one file a format.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <vector>

#include "report/document/document.hpp"

namespace hacscale::report {

void write_html(const Document& document, std::ostream& out);
void write_markdown(const Document& document, std::ostream& out);
// The answers, and the rows of the CSV files as objects.
void write_json(const Document& document, std::ostream& out);
// Tables that name the same file are written into it together. Returns the paths. WorkError when one cannot
// be written.
std::vector<std::filesystem::path> write_csv(const Document& document, const std::filesystem::path& folder);

}  // namespace hacscale::report
