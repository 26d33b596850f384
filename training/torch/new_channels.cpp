#include "training/torch/new_channels.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/utils.h>

#include <cmath>

#include "training/torch/network.hpp"

namespace hacscale::training {
namespace {

// As a batch-norm does that begins with a scale of 1 and a shift of 0.
at::Tensor standardized(const at::Tensor& maps, const NodeModule& node) {
    const at::Tensor mean = maps.mean({0, 2, 3}, true);
    const at::Tensor variance = (maps - mean).square().mean({0, 2, 3}, true);
    return (maps - mean) / (variance + node.batch_norm_epsilon()).sqrt();
}

}  // namespace

bool can_grow(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv && layer.groups == 1;
}

NewChannels::NewChannels(TorchNetwork& network, std::uint64_t seed)
    : network_(network), incoming_(network.nodes().size()) {
    const at::NoGradGuard no_grad;
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    for (std::size_t i = 0; i < incoming_.size(); ++i) {
        const NodeModule& node = *network.nodes()[i];
        if (!can_grow(node.layer())) continue;
        // Of any size: standardizing takes it out.
        std::vector<std::int64_t> shape = node.weight.sizes().vec();
        shape[0] = new_channels_each;
        incoming_[i] = at::randn(shape, generator).to(node.weight.device());
    }
}

at::Tensor NewChannels::forward(const at::Tensor& images) {
    readers_.clear();
    const auto& nodes = network_.nodes();
    const Graph& network = network_.network();
    std::vector<at::Tensor> values(network.tensors.size());
    std::vector<Added> added(network.tensors.size());
    values[network.inputs.front()] = images;
    const Added none;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Node& place = network.nodes[i];
        const TensorId input = place.inputs.front();
        const TensorId output = place.outputs.front();
        const bool adds = place.inputs.size() > 1;
        read(*nodes[i], added[input]);
        values[output] = nodes[i]->forward(values[input], adds ? values[place.inputs[1]] : at::Tensor());
        nodes[i]->added.reset();
        const at::NoGradGuard no_grad;
        added[output] = added_by(i, values[input], added[input], adds ? added[place.inputs[1]] : none);
    }
    return values[network.outputs.front()].flatten(1).to(at::kFloat);
}

// Zeros that are added to what the node makes, and through which gradients reach the weights.
void NewChannels::read(NodeModule& node, const Added& input) {
    const LayerSpec& layer = node.layer();
    const bool linear = layer.kind == LayerKind::linear;
    if (input.origins.empty() || (!linear && !can_grow(layer))) return;
    std::vector<std::int64_t> shape = node.weight.sizes().vec();
    shape[1] = linear ? input.maps.numel() / input.maps.size(0) : input.maps.size(1);
    at::Tensor weights = at::zeros(shape, node.weight.options());
    weights.set_requires_grad(true);
    node.added = linear ? at::linear(input.maps.flatten(1), weights)
                        : conv_over(layer.window, input.maps, weights, {});
    readers_.push_back({weights, input.origins});
}

NewChannels::Added NewChannels::added_by(std::size_t index, const at::Tensor& input, const Added& from_input,
                                         const Added& from_residual) {
    const NodeModule& node = *network_.nodes()[index];
    const LayerSpec& layer = node.layer();
    std::vector<at::Tensor> maps;
    Added result;
    if (!from_residual.origins.empty()) {
        maps.push_back(activated(from_residual.maps.clone(), layer.activation, layer.alpha));
        result.origins = from_residual.origins;
    }
    if (can_grow(layer)) {
        const at::Tensor made =
            standardized(conv_over(layer.window, input.detach(), incoming_[index], {}), node);
        maps.push_back(activated(made, layer.activation, layer.alpha));
        result.origins.push_back(index);
    } else if (!from_input.origins.empty() && layer.kind != LayerKind::linear) {
        Added passed = passed_on(node, from_input);
        maps.push_back(std::move(passed.maps));
        result.origins.insert(result.origins.end(), passed.origins.begin(), passed.origins.end());
    }
    if (!maps.empty()) result.maps = at::cat(maps, 1);
    return result;
}

// Through a layer that works channel by channel, or group by group, and so has new channels where its input
// has.
NewChannels::Added NewChannels::passed_on(const NodeModule& node, const Added& input) const {
    const LayerSpec& layer = node.layer();
    switch (layer.kind) {
        case LayerKind::conv: {
            // Each new channel is filtered as one of the layer's own is: what a trained filter does to maps
            // is nearer to what a filter trained for it would do than what a random one does.
            const at::Tensor own = node.weight.detach().mean(1, true);
            const at::Tensor chosen =
                at::arange(input.maps.size(1), own.options().dtype(at::kLong)).remainder(own.size(0));
            const at::Tensor filters = own.index_select(0, chosen);
            const at::Tensor made = conv_over(layer.window, input.maps, filters, {}, input.maps.size(1));
            return {activated(standardized(made, node), layer.activation, layer.alpha), input.origins};
        }
        case LayerKind::scale_shift:
            return {activated(standardized(input.maps, node), layer.activation, layer.alpha), input.origins};
        case LayerKind::squeeze_excite: {
            // What is read with weights of zero opens a gate as far as 0 does.
            const at::Tensor gate = activated(at::zeros({1}, input.maps.options()), layer.gate, {});
            return {input.maps * gate, input.origins};
        }
        case LayerKind::add:
            return {activated(input.maps.clone(), layer.activation, layer.alpha), input.origins};
        case LayerKind::max_pool:
            return {max_pool_over(layer.window, input.maps), input.origins};
        case LayerKind::avg_pool:
            return {avg_pool_over(layer.window, input.maps), input.origins};
        case LayerKind::global_avg_pool:
            return {input.maps.mean({2, 3}, true), input.origins};
        default:
            break;
    }
    return {};
}

std::vector<double> NewChannels::squared_gradients() const {
    std::vector<double> sums(network_.nodes().size(), 0.0);
    for (const Reader& reader : readers_) {
        const at::Tensor& gradient = reader.weights.grad();
        if (!gradient.defined()) continue;
        const auto origins = static_cast<std::int64_t>(reader.origins.size());
        const at::Tensor each = gradient.contiguous(at::MemoryFormat::Contiguous)
                                    .view({gradient.size(0), origins, -1})
                                    .to(at::kDouble)
                                    .square()
                                    .sum(at::IntArrayRef{0, 2})
                                    .to(at::kCPU);
        for (std::int64_t i = 0; i < origins; ++i) {
            sums[reader.origins[static_cast<std::size_t>(i)]] +=
                each[i].item<double>() / static_cast<double>(new_channels_each);
        }
    }
    return sums;
}

}  // namespace hacscale::training
