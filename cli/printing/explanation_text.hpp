// An explanation for reading on a terminal.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "harness/shell_command.hpp"
#include "records/contributions.hpp"

namespace hacscale::cli {

// What is chosen, what it brings, which steps come next, and what is interpolated or missing, in ten lines at
// most. `profile_command` measures what is missing.
std::vector<std::string> explanation_lines(const records::Explanation& explanation,
                                           const harness::ShellCommand& profile_command);

// Every step of the base and of the choice.
void print_explanation(std::ostream& out, const records::Explanation& explanation);

}  // namespace hacscale::cli
