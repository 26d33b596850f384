// `hacscale profile`: measures a network's layers, at its own and other widths, into a table.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_profile(CLI::App& parser);

}  // namespace hacscale::cli
