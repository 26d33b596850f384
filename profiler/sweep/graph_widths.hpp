// A network at other widths, all of them changed at once: what a planner needs that chooses every width of any graph
// (models/structure/structure.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph/network.hpp"
#include "profiler/sweep/sweep_run.hpp"

namespace hacscale {

struct GraphWidths {
    double min_ratio = 0.5;  // of each channel group's own width
    double max_ratio = 2.0;
    int grid =
        8;  // widths are multiples of it, and of what grouped convs need; the network's own is always among them
    int levels =
        4;  // widths of a group that are measured, besides its own, spread evenly, the ends among them
};

// Networks without weights, of the base's name, that together hold each pair of levels of any two channel groups which meet
// in a layer: a layer depends on the width that it reads and the one that it writes, and between measured pairs it is
// interpolated.
//
// They are the rows of an orthogonal array of strength two (Bush 1952): groups that meet have different columns, of which two
// hold each pair of p levels once in p x p rows, p prime. So their number depends on the levels alone and not on the network,
// as long as p + 1 columns are enough; where a layer joins more groups than that, some of them have the same level always.
//
// Throws InputError when the ratios do not include 1, when `grid` is below 1 or `levels` below 2.
std::vector<Network> networks_of_pairs(const Network& base, const GraphWidths& widths);

// `count` networks without weights of widths drawn at random from the same multiples, to check predictions on.
std::vector<Network> drawn_networks(const Network& base, const GraphWidths& widths, int count,
                                    std::uint64_t seed);

// Measures these pairs and then networks drawn at random, each round of them predicted before it is measured, until a round is
// predicted within the tolerance or the time is up. `base` is in the layout for the device, and its own layers are in the
// table. Of `settings`, coarse_widths is not used.
SweepSummary sweep(const DeviceHandle& device, Table& table, const Network& base, const GraphWidths& widths,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events);

}  // namespace hacscale
