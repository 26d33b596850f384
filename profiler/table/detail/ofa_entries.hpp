// The entries of once-for-all's latency table that some layers make; see profiler/table/export.hpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "profiler/table/detail/layer_means.hpp"

namespace hacscale::detail {

struct OfaEntries {
    std::map<std::string, double> latency_us;  // by words
    std::vector<std::string> left_out;  // for each row, why it is in no entry; empty where it is in one
};

OfaEntries ofa_entries(const std::vector<TimedLayer>& rows);

}  // namespace hacscale::detail
