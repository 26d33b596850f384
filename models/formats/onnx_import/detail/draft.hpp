// A network between an ONNX model and a graph: layers that read and write values by name, so that passes can fuse them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/formats/onnx/model.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"

namespace hacscale::detail {

struct DraftLayer {
    LayerSpec layer{};
    LayerWeights weights{};
    std::vector<std::string> inputs{};  // values; as Node::inputs orders them
    std::string output{};
    std::string name{};
    std::set<std::string> parameters{};  // the file's initializers that are learned
    // A kernel over the channels of N C 1 1, which is no layer by itself, and part of an ECA; empty for layers.
    std::vector<float> over_channels{};
    bool removed = false;  // fused into another
};

struct Draft {
    std::vector<DraftLayer> layers;  // in running order
    std::unordered_map<std::string, MapSize> sizes;
    std::map<std::string, std::string, std::less<>> moved_from;      // as onnx::Model has it
    std::unordered_map<std::string, std::int64_t> parameter_counts;  // numbers of each initializer
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<std::string>
        output_names;  // as the model names them; a layer may have written the numbers elsewhere
    std::vector<bool> vector_outputs;   // as Network has them
    std::vector<std::string> left_out;  // a sentence each
    std::int64_t left_out_macs = 0;     // as Network has them
    std::int64_t left_out_elements = 0;
};

// One layer or several for each node. The model is as onnx::simplify() returns it.
Draft draft_of(const onnx::Model& model);

// Fuses layers, in place; afterwards no layer is `removed`. A kernel over channels that is no part of an ECA is left out,
// with what depends on it.
void fuse(Draft& draft);

}  // namespace hacscale::detail
