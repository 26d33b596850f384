// `hacscale trace`: when each layer of a network ran, as a file for chrome://tracing and Perfetto.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_trace(CLI::App& parser);

}  // namespace hacscale::cli
