// An explanation for reading on a terminal.
#pragma once

#include <ostream>

#include "cli/records/explanation.hpp"

namespace hacscale::cli {

void print_explanation(std::ostream& out, const Explanation& explanation);

}  // namespace hacscale::cli
