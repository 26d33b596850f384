// Weights of a network from a PyTorch state dict, saved as safetensors, and into one: the numbers of its modules become those of its
// layers.
#pragma once

#include <filesystem>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/weights/trained_layers.hpp"

namespace hacscale {

// One entry a node. A layer named "layer1.0.conv1" has the tensors "layer1.0.conv1.weight" and ".bias", as Operator::weights names its
// parts. Where a batch-norm follows it, its four tensors belong to it: those of "layer1.0.conv1_bn", as the code of a model with
// stages has it, or of the module that PyTorch networks usually have there: "bn1" for "conv1", "bn" or "norm" for "conv", "1" for "0"
// in a sequence. Layers of one module, whose names differ in "#2", have one module's tensors.
//
// Throws InputError, which names the tensor, for files that are no safetensors, where a tensor is missing or has another shape or
// numbers that are not finite, and for tensors that no layer has.
std::vector<TrainedLayer> read_trained_layers(const std::filesystem::path& file, const Graph& graph);
// The same with batch-norms folded.
std::vector<LayerWeights> read_state_dict(const std::filesystem::path& file, const Graph& graph);

// Tensors by the names above, batch-norms as "layer1.0.conv1_bn": those of a model with stages are the state dict of its PyTorch code.
// Replaces the file as a whole. Throws WorkError where it cannot be written.
void write_state_dict(const std::filesystem::path& file, const Graph& graph,
                      const std::vector<TrainedLayer>& layers);

}  // namespace hacscale
