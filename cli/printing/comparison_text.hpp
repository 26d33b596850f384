// A comparison's record for reading on a terminal.
#pragma once

#include <ostream>
#include <string>

#include "records/comparison.hpp"

namespace hacscale::cli {

// Stage by stage, "24/40x2" for 24, 40, 40; "-" where they follow.
std::string inner_widths_text(const ScalingChoice& choice);

void print_comparison(std::ostream& out, const records::ComparisonRecord& record);

}  // namespace hacscale::cli
