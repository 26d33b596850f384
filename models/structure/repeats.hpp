// Which blocks of a network repeat, found from its edges alone: their number is a depth that can be chosen.
//
// Where a single tensor connects all that runs before with all that runs after, the network can be cut. What lies between
// two neighbouring cuts is a segment; a block is a segment, or several in a row. Blocks are equal when their layers and the
// edges between these are.
#pragma once

#include <string>
#include <vector>

#include "models/graph/graph.hpp"

namespace hacscale {

// Equal blocks one after another, with one shape at all their inputs and outputs: so any number of them fits in their place.
struct Repeat {
    std::string name;     // of the first node
    int first_node = 0;   // index into Graph::nodes; the blocks follow one another in running order
    int block_nodes = 0;  // nodes of one block
    int count = 1;        // blocks
};

// In running order; no node is in two of them. Blocks without a residual add around them repeat from two on: a single layer
// that happens to keep the shape of what it reads is no block. `graph` passes validate().
std::vector<Repeat> repeats(const Graph& graph);

}  // namespace hacscale
