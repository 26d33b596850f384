// `hacscale plan`: what a backend's library would choose for each layer of a network on a GPU that is known
// from a file and need not be here.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_plan(CLI::App& parser);

}  // namespace hacscale::cli
