// `hacscale explain`: what one step in each dimension adds, for the base and for what HACScale chose.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_explain(CLI::App& parser);

}  // namespace hacscale::cli
