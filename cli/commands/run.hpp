// `hacscale run SUITE`: a whole suite with one command.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_run(CLI::App& parser);

}  // namespace hacscale::cli
