// Folded weights as a file, in the safetensors form (huggingface.co/docs/safetensors): 8 bytes with the
// header's length, a header in JSON, then the numbers, little-endian and dense. Its metadata name the model
// by its hash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/formats/safetensors.hpp"
#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// ---- Tensors ----
//
// Their names and shapes, in the layouts of models/ops/layer_weights.hpp.

struct WeightTensor {
    std::string name;  // "stage1.block1.conv2.weight"
    std::vector<std::int64_t> shape;
    int node = 0;                              // of the network
    std::vector<float> LayerWeights::*values;  // of that node

    std::int64_t elements() const;
};

// In running order; every tensor that is not empty.
std::vector<WeightTensor> weight_tensors(const Graph& network);

// ---- The file ----

// One entry a node of the lowered model. Replaces the file as a whole. InputError when an entry has not the
// size that its layer needs, WorkError when the file cannot be written.
void write_weights(const std::filesystem::path& file, const ModelSpec& model,
                   const std::vector<LayerWeights>& weights);

// Whether write_weights() wrote the file.
bool is_folded_weights(const SafetensorsFile& file);

// Throws InputError for a file that is cut short or malformed, of another model (by its hash, and tensor by
// tensor), or with numbers that are not finite.
std::vector<LayerWeights> read_weights(const std::filesystem::path& file, const ModelSpec& model);

}  // namespace hacscale
