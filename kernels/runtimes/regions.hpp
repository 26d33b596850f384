// Which of a runtime's operations compute which layers. A runtime makes other pieces of a network than layers: it splits a
// squeeze-excite, adds reorders between layouts, and computes an activation within the conv before it. A layer's time is that of the
// operations that are its own; a layer without any is computed within another one's, and has a share of that one's time where
// both multiply (as many as each does), else none: being fused is what makes it cost nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "kernels/runtimes/exported_network.hpp"
#include "models/graph/graph.hpp"

namespace hacscale::runtimes {

// What a runtime runs as one, in running order.
struct Operation {
    std::string name;  // begins or ends with an exported node's where it is made of one
    std::string kind;  // "Conv", for people
    // Values that it reads and writes, as far as they are known.
    std::vector<std::string> inputs{};
    std::vector<std::string> outputs{};
    // It brings a tensor into the form that the next operation reads, and therefore belongs to that one.
    bool prepares_input = false;
};

class Regions {
public:
    Regions() = default;
    Regions(const Graph& graph, const ExportedNetwork& exported, const std::vector<Operation>& operations);

    // The layers' times from those of the operations in one pass, in their order; microseconds.
    std::vector<double> layer_us(std::span<const double> operation_us) const;
    // Of each layer, how many operations are its own.
    const std::vector<int>& operations() const { return operations_; }
    // The kinds of a layer's operations, "Conv + ReorderOutput"; "within stem.conv" for a layer that has none.
    const std::string& implementation(int layer) const { return implementations_.at(layer); }
    // Of each operation; for tests.
    const std::vector<int>& layers() const { return layer_of_operation_; }

private:
    std::vector<int> layer_of_operation_;
    std::vector<int> operations_;  // of each layer
    std::vector<double> shares_;   // of each layer in the time of its host
    std::vector<int> hosts_;       // of each layer, the one whose operations compute it
    std::vector<std::string> implementations_;
};

}  // namespace hacscale::runtimes
