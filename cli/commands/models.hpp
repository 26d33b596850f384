// `hacscale models` and `hacscale models show`: the networks of the zoo, and what one network consists of.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_models(CLI::App& parser);

// Below it, in cli/commands/models/.
Run declare_models_export(CLI::App& parser);

}  // namespace hacscale::cli
