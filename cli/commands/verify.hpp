// `hacscale verify`: whole networks measured on the device beside the table's prediction of them.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_verify(CLI::App& parser);

}  // namespace hacscale::cli
