// The verdict of a comparison for reading on a terminal: what each choice costs, what it is worth, and who
// dominates whom.
#pragma once

#include <ostream>

#include "records/comparison.hpp"

namespace hacscale::cli {

void print_verdict(std::ostream& out, const records::ComparisonRecord& record);

}  // namespace hacscale::cli
