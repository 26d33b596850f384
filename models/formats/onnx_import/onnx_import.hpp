// An ONNX file as a network: each node becomes a layer, and layers are fused as backends run them. Batch-norms, scales
// and shifts go into the conv or linear layer in front of them, activations into the layer that they follow, adds into
// one of their convs; squeeze-excite and ECA become one layer each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/formats/onnx/model.hpp"
#include "models/graph/network.hpp"

namespace hacscale {

// The network has the file's weights, and its name is the file's without the suffix. A conv or linear layer, and what is
// fused into it, has the name of the module that its weights belong to ("layer1.0.conv1" for "layer1.0.conv1.weight");
// other layers have their node's name.
//
// A node that no layer computes is left out, and Network::left_out names it with the reason. What it computes becomes an
// input of the network where a layer reads it; what it reads becomes an output.
//
// Throws InputError for files that cannot be read (models/formats/onnx/onnx.hpp), and where no node is a layer.
Network import_onnx(const std::filesystem::path& file, const InputShapes& shapes = {});
// The same of a model in memory, as onnx::read_file() returns it.
Network import_onnx(onnx::Model model, const std::string& name, const InputShapes& shapes = {});

// For each node of the network's graph, the names of the nodes of its file that it computes: what the layer's output is made of, back to
// its inputs. A node without a name goes by "node_of_" and its first output, as TensorRT's ONNX parser calls it. A layer whose output
// is no value of the file has its own name alone. `model` is the file as it was read.
std::vector<std::vector<std::string>> file_nodes(const onnx::Model& model, const Network& network);

}  // namespace hacscale
