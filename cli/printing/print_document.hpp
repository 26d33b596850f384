// A report's document on a terminal: headings, paragraphs, and tables in aligned columns. Tables that a page
// shows on request are left out.
#pragma once

#include <ostream>

#include "report/document/document.hpp"

namespace hacscale::cli {

void print_document(std::ostream& out, const report::Document& document);

}  // namespace hacscale::cli
