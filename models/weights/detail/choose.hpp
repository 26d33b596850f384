// Which units and blocks of a base a scaled network has.
#pragma once

#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/detail/channel_sources.hpp"
#include "models/weights/weight_settings.hpp"

namespace hacscale::detail {

// Of each group, which units it has at these widths: all and copies, or those with the highest scores.
UnitLists chosen_units(const Network& base, const std::vector<ChannelGroup>& groups,
                       const std::vector<int>& widths, const WeightSettings& settings);

// The `count` blocks with the highest scores, ascending.
std::vector<int> best_blocks(const std::vector<double>& scores, int count, const std::string& repeat);

}  // namespace hacscale::detail
