// hacscale sensitivity: what accuracy gains by each stage's width and depth, as a file that "scale" reads.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_sensitivity(CLI::App& parser);

}  // namespace hacscale::cli
