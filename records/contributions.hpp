// What one step in each dimension adds to a network, as it stands in records: the base's and the chosen
// network's.
#pragma once

#include <string>

#include "scaling/analysis/explain.hpp"

namespace hacscale::cli {

struct ContributionsRow {
    std::string spec;  // "base" or "hacscale"
    NetworkExplanation network;
};

}  // namespace hacscale::cli
