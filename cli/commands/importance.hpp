// hacscale importance: how important each layer of a trained network is, as a file that "scale" reads.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_importance(CLI::App& parser);

}  // namespace hacscale::cli
