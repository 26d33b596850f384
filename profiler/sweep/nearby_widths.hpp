// A network at other widths, each changed alone: what tells which counts of channels near its own are free or wasteful
// (scaling/analysis/advise.hpp), of any graph.
#pragma once

#include <vector>

#include "models/graph/network.hpp"

namespace hacscale {

// Networks without weights, of the base's name, that hold each of its channel groups (models/structure/structure.hpp) at up to
// `counts` widths above and as many below its own, multiples of `grid` and of what grouped convs need, and the layers around
// it at their own. Groups that share no layer change in one network, so that few networks hold all of them. Those nearest to
// the base come first: whoever runs out of time knows these. Throws InputError when `counts` or `grid` is below 1.
std::vector<Network> nearby_networks(const Network& base, int counts, int grid);

}  // namespace hacscale
