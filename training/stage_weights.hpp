// The weights of a model with stages, from whatever file has them.
#pragma once

#include <filesystem>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "models/weights/trained_layers.hpp"

namespace hacscale {

// Whether this is a checkpoint that training wrote, or a folder, which only the training module reads.
bool is_checkpoint(const std::filesystem::path& file);

// One entry a node of lower(model), from a checkpoint that training wrote (a file, or the folder of a run), from a file of folded weights
// (weights_file.hpp), or from a state dict as safetensors (models/weights/state_dict.hpp). Throws InputError, which names the first wrong
// tensor, for weights of another model or no numbers, and MissingError where a checkpoint needs the training module and it is not here.
std::vector<TrainedLayer> read_stage_weights(const ModelSpec& model, const std::filesystem::path& file);

// Names the numbers: equal for equal ones. Empty for no layers.
std::string fingerprint(const std::vector<TrainedLayer>& layers);

}  // namespace hacscale
