// A lowered network as a libtorch module that can be trained: one sub-module a node, with the batch-norm that
// lowering folded away put back. How many numbers a node learns decides which of bias and batch-norm it has.
#pragma once

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/weights/trained_layers.hpp"

namespace hacscale::training {

// PyTorch's default, which the literature's CIFAR figures were made with.
inline constexpr double batch_norm_momentum = 0.1;

// What one node learns. Tensors that the node does not have are undefined.
class NodeModule : public torch::nn::Module {
public:
    explicit NodeModule(const Node& node);

    const LayerSpec& layer() const { return layer_; }
    bool has_batch_norm() const { return gamma.defined(); }
    double batch_norm_epsilon() const { return batch_norm_epsilon_; }
    // `residual` is what a conv or an add reads besides its input; undefined where there is none. Numbers learned are f32; products are done in the
    // input's data type.
    at::Tensor forward(const at::Tensor& input, const at::Tensor& residual);

    // For looking into the network, undefined in normal use. Of a conv or linear layer: what is added to its
    // products before the batch-norm, and, of a conv, what its output is multiplied by after the batch-norm
    // and before the residual.
    at::Tensor added, gate;

    at::Tensor weight, bias;                            // conv [O][I/g][k][k], linear [O][I]; squeeze [S][C]
    at::Tensor weight2, bias2;                          // squeeze-excite's second product [C][S]
    at::Tensor gamma, beta, running_mean, running_var;  // batch-norm

private:
    void add_batch_norm(std::int64_t channels);
    void add_products(const Node& node);
    at::Tensor normalized(const at::Tensor& input);
    at::Tensor squeezed(const at::Tensor& input);

    LayerSpec layer_;
    double batch_norm_epsilon_;
};

class TorchNetwork : public torch::nn::Module {
public:
    // A network of one input and one output (InputError otherwise). Numbers are unset until initialize() or a checkpoint gives them.
    explicit TorchNetwork(const Graph& network);

    // He et al. 2015: normal with variance 2 / fan-out for convs, N(0, 0.01) for linear layers (as VGG and
    // MobileNetV2), batch-norms 1 and 0. The last batch-norm of a residual branch starts at 1 as well: zero
    // there helps deep networks with large batches (Goyal et al. 2017), but the CIFAR figures of the
    // literature are with 1, and a branch that starts at zero passes no gradient to the layers before it in the
    // first steps, which a short recipe can ill afford.
    void initialize(std::uint64_t seed);
    // Random numbers everywhere, running statistics included, of the size that a trained network's have.
    void randomize(std::uint64_t seed);

    // Images [N][C][H][W] in the data type to compute in; logits in f32. With `outputs`, every node's output
    // is kept there, in running order.
    at::Tensor forward(const at::Tensor& images, std::vector<at::Tensor>* outputs = nullptr);

    const std::vector<std::shared_ptr<NodeModule>>& nodes() const { return nodes_; }
    const Graph& network() const { return network_; }
    // Every learned number: equal to network().params().
    std::int64_t parameter_count() const;

private:
    Graph network_;
    std::vector<std::shared_ptr<NodeModule>> nodes_;
    std::vector<int> last_reader_;  // of each tensor, the node after which it is not needed any more
};

// An activation as libtorch computes and differentiates it. May overwrite x, where the backward pass can do with the
// result alone: it saves a pass over memory.
at::Tensor activated(at::Tensor x, Activation activation, Parameter alpha);

// The numbers as they are trained, batch-norms apart, in the same layout.
std::vector<TrainedLayer> layers_of(const TorchNetwork& network);
// Gives the network these numbers. Throws InputError, which names the layer, where they have other sizes or lack a batch-norm that the network
// learns.
void set_layers(TorchNetwork& network, const std::vector<TrainedLayer>& layers);

// Convolutions and pools over any window. libtorch pads both sides alike, and pools at most by half their kernel: other
// padding is laid around the input first.

at::Tensor conv_over(const Window& window, const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, std::int64_t groups = 1);
at::Tensor max_pool_over(const Window& window, const at::Tensor& input);
// Padding does not count.
at::Tensor avg_pool_over(const Window& window, const at::Tensor& input);

}  // namespace hacscale::training
