// `hacscale devices`: which backends this installation has, which devices they see, and why others cannot
// run.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_devices(CLI::App& parser);

}  // namespace hacscale::cli
