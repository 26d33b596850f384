// `hacscale report FOLDER`: the records of a run as a page, as Markdown and as CSV.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_report(CLI::App& parser);

}  // namespace hacscale::cli
