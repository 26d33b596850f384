// advise: where a network could be wider at no measurable extra latency, from a table.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_advise(CLI::App& parser);

}  // namespace hacscale::cli
