#include "training/torch/network.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/utils.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace hacscale::training {
namespace {

// ---- Activations ----

// libtorch 1.13 has no backward pass for hardtanh, hardswish and hardsigmoid in bf16 on CPUs. There they are
// put together from operators that have one.
bool lacks_hard_activations(const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16;
}

// ReLU6 with the gradient of hardtanh: zero where the result is 0 or 6. As a clamp and two thresholds it
// takes a third of the time of what autograd makes of min and relu, half of MobileNetV2's step. Not in place:
// that is the slower way here.
struct ClampedTo6 : public torch::autograd::Function<ClampedTo6> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
        at::Tensor y = at::clamp(x, 0, 6);
        context->save_for_backward({y});
        return y;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients) {
        const at::Tensor y = context->get_saved_variables().front();
        const at::Tensor above_0 = at::threshold_backward(gradients.front(), y, 0);
        return {at::threshold_backward(above_0, at::neg(y), -6)};
    }
};

at::Tensor clamped_to_6(at::Tensor x) {
    if (lacks_hard_activations(x)) return ClampedTo6::apply(x);
    return at::hardtanh_(x, 0, 6);
}

at::Tensor hard_sigmoid_of(const at::Tensor& x) {
    return lacks_hard_activations(x) ? clamped_to_6(x + 3) / 6 : at::hardsigmoid(x);
}

at::Tensor hard_swish_of(const at::Tensor& x) {
    return lacks_hard_activations(x) ? x * hard_sigmoid_of(x) : at::hardswish(x);
}

}  // namespace

at::Tensor activated(at::Tensor x, Activation activation, Parameter alpha) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return at::relu_(x);
        case Activation::relu6:
            return clamped_to_6(x);
        case Activation::silu:
            return at::silu(x);
        case Activation::hard_swish:
            return hard_swish_of(x);
        case Activation::sigmoid:
            return at::sigmoid(x);
        case Activation::hard_sigmoid:
            return hard_sigmoid_of(x);
        case Activation::gelu:
            return at::gelu(x);
        case Activation::gelu_tanh:
            return at::gelu(x, "tanh");
        case Activation::leaky_relu:
            return at::leaky_relu(x, alpha.value());
        case Activation::mish:
            return at::mish(x);
        case Activation::softplus:
            return at::softplus(x);
        case Activation::elu:
            return at::elu(x, alpha.value());
        case Activation::tanh:
            return at::tanh(x);
    }
    return x;
}

namespace {

// What a layer multiplies by or adds, in the data type of what it meets.
at::Tensor as_type_of(const at::Tensor& numbers, const at::Tensor& x) {
    return numbers.defined() ? numbers.to(x.scalar_type()) : numbers;
}

// A node's name without dots, which libtorch keeps for itself.
std::string module_name(const std::string& node) {
    std::string name = node;
    std::replace(name.begin(), name.end(), '.', '/');
    return name;
}

}  // namespace

[[noreturn]] void refuse(const Node& node) {
    throw InputError("training does not know layers as " + node.layer.key() + " (" + node.name +
                     "); train a network of stages");
}

// ---- One node ----

NodeModule::NodeModule(const Node& node) : layer_(node.layer), batch_norm_epsilon_(node.batch_norm_epsilon) {
    switch (layer_.kind) {
        case LayerKind::conv:
        case LayerKind::linear:
            add_products(node);
            break;
        case LayerKind::scale_shift:
            add_batch_norm(layer_.in_channels);
            break;
        case LayerKind::squeeze_excite:
            weight = register_parameter("weight", at::empty({layer_.squeeze_channels, layer_.in_channels}));
            bias = register_parameter("bias", at::empty({layer_.squeeze_channels}));
            weight2 = register_parameter("weight2", at::empty({layer_.in_channels, layer_.squeeze_channels}));
            bias2 = register_parameter("bias2", at::empty({layer_.in_channels}));
            break;
        case LayerKind::max_pool:
        case LayerKind::avg_pool:
        case LayerKind::global_avg_pool:
        case LayerKind::add:
            break;
        default:
            throw InputError("training does not know layers of the kind " +
                             std::string(name_of(layer_.kind)) + " (" + node.name +
                             "); train a network of stages");
    }
}

void NodeModule::add_products(const Node& node) {
    const std::int64_t out = layer_.out_channels;
    if (layer_.kind == LayerKind::conv) {
        weight = register_parameter("weight", at::empty({out, layer_.in_channels / layer_.groups,
                                                         layer_.window.kernel[0], layer_.window.kernel[1]}));
    } else {
        const std::int64_t features = std::int64_t{layer_.in_channels} * layer_.in_height * layer_.in_width;
        weight = register_parameter("weight", at::empty({out, features}));
    }
    const std::int64_t offsets = node.learned_params - product_weights(layer_);
    if (offsets % out != 0 || offsets < 0 || offsets > 3 * out) {
        throw WorkError("a layer " + layer_.key() + " with " + std::to_string(offsets) +
                        " numbers beside its products is none that can be trained");
    }
    const auto [learns_bias, learns_norm] = learned_offsets(node);
    if (learns_bias) bias = register_parameter("bias", at::empty({out}));
    if (learns_norm) add_batch_norm(out);
}

void NodeModule::add_batch_norm(std::int64_t channels) {
    gamma = register_parameter("gamma", at::empty({channels}));
    beta = register_parameter("beta", at::empty({channels}));
    running_mean = register_buffer("running_mean", at::zeros({channels}));
    running_var = register_buffer("running_var", at::ones({channels}));
}

at::Tensor NodeModule::normalized(const at::Tensor& input) {
    return at::batch_norm(input, gamma, beta, running_mean, running_var, is_training(), batch_norm_momentum,
                          batch_norm_epsilon_, true);
}

at::Tensor NodeModule::squeezed(const at::Tensor& input) {
    const at::Tensor mean = input.mean({2, 3});
    const at::Tensor inner = activated(at::linear(mean, as_type_of(weight, mean), as_type_of(bias, mean)),
                                       layer_.activation, layer_.alpha);
    const at::Tensor scale =
        activated(at::linear(inner, as_type_of(weight2, mean), as_type_of(bias2, mean)), layer_.gate, {});
    return input * scale.unsqueeze(-1).unsqueeze(-1);
}

at::Tensor NodeModule::forward(const at::Tensor& input, const at::Tensor& residual) {
    at::Tensor y;
    switch (layer_.kind) {
        case LayerKind::conv:
            y = conv_over(layer_.window, input, as_type_of(weight, input), as_type_of(bias, input),
                          layer_.groups);
            if (added.defined()) y = y + added;
            if (has_batch_norm()) y = normalized(y);
            if (gate.defined()) y = y * gate;
            if (layer_.residual) y.add_(residual);
            break;
        case LayerKind::linear:
            y = at::linear(input.flatten(1), as_type_of(weight, input), as_type_of(bias, input));
            if (added.defined()) y = y + added;
            break;
        case LayerKind::scale_shift:
            y = normalized(input);
            break;
        case LayerKind::squeeze_excite:
            return squeezed(input);
        case LayerKind::add:
            y = input + residual;
            break;
        case LayerKind::max_pool:
            return max_pool_over(layer_.window, input);
        case LayerKind::avg_pool:
            return avg_pool_over(layer_.window, input);
        case LayerKind::global_avg_pool:
            return input.mean({2, 3}, true);
        default:  // the constructor refuses them
            break;
    }
    return activated(y, layer_.activation, layer_.alpha);
}

// ---- The network ----

TorchNetwork::TorchNetwork(const Graph& network) : network_(network), last_reader_(last_readers(network)) {
    if (network.outputs.size() != 1) {
        throw InputError("training takes a network of one output, not of " +
                         std::to_string(network.outputs.size()) + "; leave out the model's \"outputs\"");
    }
    for (const Node& node : network.nodes) {
        nodes_.push_back(register_module(module_name(node.name), std::make_shared<NodeModule>(node)));
    }
}

at::Tensor TorchNetwork::forward(const at::Tensor& images, std::vector<at::Tensor>* outputs) {
    std::vector<at::Tensor> values(network_.tensors.size());
    values[network_.inputs.front()] = images;
    if (outputs != nullptr) outputs->clear();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Node& node = network_.nodes[i];
        at::Tensor& output = values[node.outputs.front()];
        output = nodes_[i]->forward(values[node.inputs.front()],
                                    node.inputs.size() > 1 ? values[node.inputs[1]] : at::Tensor());
        if (outputs != nullptr) outputs->push_back(output);
        for (const TensorId read : node.inputs) {
            if (last_reader_[read] == static_cast<int>(i)) values[read].reset();
        }
    }
    return values[network_.outputs.front()].flatten(1).to(at::kFloat);
}

void TorchNetwork::initialize(std::uint64_t seed) {
    const at::NoGradGuard no_grad;
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    for (const auto& node : nodes_) {
        const LayerSpec& layer = node->layer();
        if (layer.kind == LayerKind::conv) {
            const double fan_out =
                static_cast<double>(layer.out_channels * layer.window.taps()) / layer.groups;
            node->weight.normal_(0.0, std::sqrt(2.0 / fan_out), generator);
        } else if (layer.kind == LayerKind::linear) {
            node->weight.normal_(0.0, 0.01, generator);
        } else if (layer.kind == LayerKind::squeeze_excite) {
            node->weight.normal_(0.0, std::sqrt(2.0 / layer.squeeze_channels), generator);
            node->weight2.normal_(0.0, std::sqrt(2.0 / layer.in_channels), generator);
        }
        for (at::Tensor* shift : {&node->bias, &node->bias2, &node->beta}) {
            if (shift->defined()) shift->zero_();
        }
        if (node->has_batch_norm()) {
            node->gamma.fill_(1.0);
            node->running_mean.zero_();
            node->running_var.fill_(1.0);
        }
    }
}

void TorchNetwork::randomize(std::uint64_t seed) {
    const at::NoGradGuard no_grad;
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    for (const auto& node : nodes_) {
        // Fan-in here: the statistics of the batch-norms are not made from data, so that nothing but the
        // products keeps the outputs of a deep network from dying out or blowing up.
        for (at::Tensor* products : {&node->weight, &node->weight2}) {
            if (!products->defined()) continue;
            const double fan_in = static_cast<double>(products->numel() / products->size(0));
            const double gain = node->layer().residual ? 0.5 : 2.0;
            products->normal_(0.0, std::sqrt(gain / fan_in), generator);
        }
        for (at::Tensor* shift : {&node->bias, &node->bias2, &node->beta, &node->running_mean}) {
            if (shift->defined()) shift->uniform_(-0.1, 0.1, generator);
        }
        if (node->has_batch_norm()) {
            node->gamma.uniform_(0.75, 1.25, generator);
            node->running_var.uniform_(0.5, 1.5, generator);
        }
    }
}

std::int64_t TorchNetwork::parameter_count() const {
    std::int64_t sum = 0;
    for (const at::Tensor& parameter : parameters()) sum += parameter.numel();
    return sum;
}

// ---- Numbers, out and in ----

namespace {

std::vector<float> as_floats(const at::Tensor& tensor) {
    if (!tensor.defined()) return {};
    // Contiguous in the dimensions' order, whatever the tensor's memory format is.
    const at::Tensor dense =
        tensor.detach().to(at::kCPU, at::kFloat).contiguous(at::MemoryFormat::Contiguous);
    const float* first = dense.data_ptr<float>();
    return {first, first + dense.numel()};
}

}  // namespace

std::vector<TrainedLayer> layers_of(const TorchNetwork& network) {
    const at::NoGradGuard no_grad;
    std::vector<TrainedLayer> layers;
    layers.reserve(network.nodes().size());
    for (const auto& node : network.nodes()) {
        layers.push_back({{as_floats(node->weight), as_floats(node->bias), as_floats(node->weight2),
                           as_floats(node->bias2)},
                          {as_floats(node->gamma), as_floats(node->beta), as_floats(node->running_mean),
                           as_floats(node->running_var)}});
    }
    return layers;
}

namespace {

void set_numbers(const at::Tensor& tensor, const std::vector<float>& numbers, const std::string& name) {
    const auto wanted = tensor.defined() ? static_cast<std::size_t>(tensor.numel()) : 0;
    if (numbers.size() != wanted) {
        throw InputError("training cannot start from these weights: " + name + " has " +
                         std::to_string(numbers.size()) + " numbers, not " + std::to_string(wanted));
    }
    if (wanted == 0) return;
    tensor.copy_(at::from_blob(const_cast<float*>(numbers.data()), tensor.sizes(), at::kFloat));
}

}  // namespace

void set_layers(TorchNetwork& network, const std::vector<TrainedLayer>& layers) {
    const at::NoGradGuard no_grad;
    if (layers.size() != network.nodes().size()) {
        throw InputError("training cannot start from weights of " + std::to_string(layers.size()) +
                         " layers: the network has " + std::to_string(network.nodes().size()));
    }
    for (std::size_t n = 0; n < layers.size(); ++n) {
        const NodeModule& node = *network.nodes()[n];
        const std::string& name = network.network().nodes[n].name;
        const auto& [products, norm] = layers[n];
        if (node.has_batch_norm() && !norm.there()) {
            throw InputError(
                "training cannot start from these weights: the batch-norm of " + name +
                " is folded into them; give a checkpoint, or a file that \"scale --weights\" wrote "
                "from one");
        }
        set_numbers(node.weight, products.weights, name + ".weight");
        set_numbers(node.bias, products.bias, name + ".bias");
        set_numbers(node.weight2, products.weights2, name + ".weight2");
        set_numbers(node.bias2, products.bias2, name + ".bias2");
        set_numbers(node.gamma, norm.scale, name + "_bn.weight");
        set_numbers(node.beta, norm.shift, name + "_bn.bias");
        set_numbers(node.running_mean, norm.mean, name + "_bn.running_mean");
        set_numbers(node.running_var, norm.variance, name + "_bn.running_var");
    }
}

namespace {

using Sizes = std::array<std::int64_t, 2>;

Sizes sizes(const std::array<int, 2>& values) {
    return {values[0], values[1]};
}

// The input with what libtorch does not pad itself, and what it does.
struct Padded {
    at::Tensor input;
    Sizes padding;
};

Padded padded(const Window& window, const at::Tensor& input, const Sizes& most, double fill) {
    const auto& [top, left, bottom, right] = window.pads;
    if (top == bottom && left == right && top <= most[0] && left <= most[1]) return {input, {top, left}};
    return {at::constant_pad_nd(input, {left, right, top, bottom}, fill), {0, 0}};
}

}  // namespace

at::Tensor conv_over(const Window& window, const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, std::int64_t groups) {
    const auto [images, padding] = padded(window, input, {max_layer_size, max_layer_size}, 0.0);
    return at::conv2d(images, weight, bias, sizes(window.strides), padding, sizes(window.dilations), groups);
}

at::Tensor max_pool_over(const Window& window, const at::Tensor& input) {
    const Sizes kernel = sizes(window.kernel);
    const auto [images, padding] =
        padded(window, input, {kernel[0] / 2, kernel[1] / 2}, -std::numeric_limits<double>::infinity());
    return at::max_pool2d(images, kernel, sizes(window.strides), padding, sizes(window.dilations));
}

at::Tensor avg_pool_over(const Window& window, const at::Tensor& input) {
    const Sizes kernel = sizes(window.kernel);
    const auto pool = [&](const at::Tensor& maps) {
        const auto [images, padding] = padded(window, maps, {kernel[0] / 2, kernel[1] / 2}, 0.0);
        return at::avg_pool2d(images, kernel, sizes(window.strides), padding, /*ceil_mode=*/false,
                              /*count_include_pad=*/false);
    };
    const auto& [top, left, bottom, right] = window.pads;
    const bool by_libtorch = top == bottom && left == right && 2 * top <= kernel[0] && 2 * left <= kernel[1];
    // Zeros laid around the map count, as often in the mean of ones.
    return by_libtorch ? pool(input) : pool(input) / pool(at::ones_like(input));
}

}  // namespace hacscale::training
