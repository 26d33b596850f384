// The table of commands. A command is in the program by being here; help, completion and the tests go over
// this table.
#pragma once

#include <span>

#include "cli/command.hpp"

namespace hacscale::cli {

std::span<const Command> commands();

}  // namespace hacscale::cli
