// A network as an ONNX model, for other programs: each layer becomes the standard operators that PyTorch's exporter writes for it, so
// that they fuse what they fuse in its files. The import (models/formats/onnx_import) makes the same layers of them.
#pragma once

#include <cstdint>
#include <vector>

#include "models/formats/onnx/model.hpp"
#include "models/graph/network.hpp"

namespace hacscale {

constexpr std::int64_t default_onnx_opset = 17;  // PyTorch's; the first with LayerNormalization

// The tensors of the result are the network's numbers and no copies: the network must live as long. Its weights must be there, one
// entry a node.
//
// The first size of every input and output is "batch", which whoever runs the file chooses. A layer's nodes begin with its name, and
// its numbers are NAME.weight and NAME.bias; a squeeze-excite has NAME.squeeze.weight and so on. Layers of a file that have the same
// module's weights ("head.conv", "head.conv#2") have them once.
//
// Throws InputError for an opset outside 9 to 21, and where it lacks an operator: with the operator, the layer, and the least opset
// that has it.
onnx::Model export_onnx(const Network& network, std::int64_t opset = default_onnx_opset);

// The same, and of each of the model's nodes the network's node that it is a part of. What brings a tensor into the form in which a
// layer reads it is that layer's.
struct TracedExport {
    onnx::Model model;
    std::vector<int> layers;
};
TracedExport export_onnx_traced(const Network& network, std::int64_t opset = default_onnx_opset);

}  // namespace hacscale
