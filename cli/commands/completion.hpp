// `hacscale completion SHELL`: a script that completes commands, options and model names.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_completion(CLI::App& parser);

}  // namespace hacscale::cli
