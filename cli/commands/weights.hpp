// hacscale export-weights and import-weights: a trained network's folded weights, out of a checkpoint into a
// file and from a file into a backend.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_export_weights(CLI::App& parser);
Run declare_import_weights(CLI::App& parser);

}  // namespace hacscale::cli
