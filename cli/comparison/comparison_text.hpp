// A comparison's record for reading on a terminal.
#pragma once

#include <ostream>

#include "cli/records/comparison.hpp"

namespace hacscale::cli {

void print_comparison(std::ostream& out, const ComparisonRecord& record);

// Whether something that should have been timed was not, or its timing stayed noisy.
bool has_gaps(const ComparisonRecord& record);

}  // namespace hacscale::cli
