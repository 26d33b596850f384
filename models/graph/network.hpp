// A ModelSpec lowered to layers: the order they run in, and which outputs each one reads.
#pragma once

#include <string>
#include <vector>

#include "models/ops/layer_cost.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

constexpr int network_input = -1;

struct NetworkNode {
    LayerSpec layer;
    std::string name;              // for example "stage2.block1.conv2"
    int stage = 0;                 // -1: stem, 0..stages-1: that stage, stages: head
    int block = 0;                 // within the stage
    int input = network_input;     // index of the node whose output it reads
    int residual = network_input;  // conv with layer.residual: the node whose output is added
    std::int64_t learned_params =
        0;  // before folding: batch-norm's scale and shift counted, see docs/method.md
};

struct Network {
    std::vector<NetworkNode> nodes;  // in running order; the last one is the output
    int in_channels = 0;
    int resolution = 0;

    std::int64_t params() const;       // learned
    std::int64_t macs() const;         // one inference at batch 1
    std::int64_t activations() const;  // batch 1
    std::int64_t bytes(int batch, DataType type) const;
    std::int64_t weight_bytes(DataType type) const;  // folded weights and biases
    // While each node runs: elements of the outputs, and of the input, that are alive at batch 1.
    std::vector<std::int64_t> alive_activations() const;
    // The most activation bytes alive at once, in running order.
    std::int64_t peak_activation_bytes(int batch, DataType type) const;
};

// Every layer gets the model's layout. Throws InputError as check() does.
Network lower(const ModelSpec& model);

}  // namespace hacscale
