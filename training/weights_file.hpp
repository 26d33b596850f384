// Folded weights as a file, in the safetensors form (huggingface.co/docs/safetensors): 8 bytes with the
// header's length, a header in JSON, then the numbers, little-endian and dense. Its metadata name the model
// by its hash.
#pragma once

#include <filesystem>
#include <vector>

#include "models/ops/layer_weights.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// One entry a node of the lowered model. Replaces the file as a whole. InputError when an entry has not the
// size that its layer needs, WorkError when the file cannot be written.
void write_weights(const std::filesystem::path& file, const ModelSpec& model,
                   const std::vector<LayerWeights>& weights);

// Throws InputError for a file that is cut short or malformed, of another model (by its hash, and tensor by
// tensor), or with numbers that are not finite.
std::vector<LayerWeights> read_weights(const std::filesystem::path& file, const ModelSpec& model);

}  // namespace hacscale
