// `hacscale scale` and `hacscale compare`: a network scaled to a latency budget by one strategy or by all of
// them. Both are one command with other defaults, so they share their options and their answer.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_scale(CLI::App& parser);
Run declare_compare(CLI::App& parser);

}  // namespace hacscale::cli
