#include "models/weights/trained_layers.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "models/weights/detail/mapped_weights.hpp"

namespace hacscale {
namespace {

using detail::at;

std::vector<float> picked(const std::vector<float>& values, const std::vector<int>& channels) {
    std::vector<float> result;
    result.reserve(channels.size());
    for (const int channel : channels) result.push_back(values[at(channel)]);
    return result;
}

BatchNormNumbers picked(const BatchNormNumbers& norm, const std::vector<int>& channels) {
    if (!norm.there()) return {};
    return {picked(norm.scale, channels), picked(norm.shift, channels), picked(norm.mean, channels),
            picked(norm.variance, channels)};
}

LayerWeights fold(const Node& node, const TrainedLayer& trained) {
    LayerWeights weights = trained.products;
    const BatchNormNumbers& norm = trained.norm;
    if (!norm.there()) return weights;
    const LayerSpec& layer = node.layer;
    const bool alone = layer.kind == LayerKind::scale_shift;
    const std::size_t channels = norm.scale.size();
    std::vector<double> scales;
    for (std::size_t c = 0; c < channels; ++c) {
        scales.push_back(norm.scale[c] /
                         std::sqrt(static_cast<double>(norm.variance[c]) + node.batch_norm_epsilon));
    }
    if (alone) weights.weights.assign(channels, 1.0F);
    weights.bias.resize(channels, 0.0F);
    const std::size_t filter = weights.weights.size() / channels;
    const auto taps = static_cast<std::size_t>(layer.window.taps());
    const auto share = at(layer.out_channels / layer.groups);
    const auto in_share = at(layer.in_channels / layer.groups);
    for (std::size_t i = 0; i < weights.weights.size(); ++i) {
        std::size_t channel = i / filter;
        if (layer.kind == LayerKind::transposed_conv) {  // by input channel first
            channel = i / taps / share / in_share * share + i / taps % share;
        }
        weights.weights[i] = static_cast<float>(weights.weights[i] * scales[channel]);
    }
    for (std::size_t c = 0; c < channels; ++c) {
        const double before = static_cast<double>(weights.bias[c]) - norm.mean[c];
        weights.bias[c] = static_cast<float>(before * scales[c] + norm.shift[c]);
    }
    return weights;
}

// The numbers of a layer that no trained one is like, with a batch-norm that changes nothing before it is trained.
TrainedLayer with_new_norm(const Node& node, LayerWeights weights) {
    TrainedLayer layer;
    const std::size_t channels = weights.bias.size();
    const auto unit = static_cast<float>(std::sqrt(1.0 + node.batch_norm_epsilon));
    layer.norm = {std::vector<float>(channels, unit), weights.bias, std::vector<float>(channels, 0.0F),
                  std::vector<float>(channels, 1.0F)};
    if (node.layer.kind == LayerKind::scale_shift) {
        for (std::size_t c = 0; c < channels; ++c) layer.norm.scale[c] *= weights.weights[c];
        return layer;
    }
    weights.bias.assign(learned_offsets(node).bias ? channels : 0, 0.0F);
    layer.products = std::move(weights);
    return layer;
}

bool contains(const std::vector<int>& nodes, std::size_t node) {
    return std::ranges::find(nodes, static_cast<int>(node)) != nodes.end();
}

}  // namespace

bool learns_batch_norm(const Node& node) {
    if (node.layer.kind == LayerKind::scale_shift) return true;
    return node.layer.kind == LayerKind::conv && learned_offsets(node).batch_norm;
}

bool has_batch_norms(const std::vector<TrainedLayer>& layers) {
    return std::ranges::any_of(layers, [](const TrainedLayer& layer) { return layer.norm.there(); });
}

std::vector<LayerWeights> folded(const Graph& graph, const std::vector<TrainedLayer>& layers) {
    std::vector<LayerWeights> weights;
    weights.reserve(layers.size());
    for (std::size_t n = 0; n < layers.size(); ++n) weights.push_back(fold(graph.nodes[n], layers[n]));
    return weights;
}

std::vector<TrainedLayer> unnormalized(std::vector<LayerWeights> weights) {
    std::vector<TrainedLayer> layers;
    layers.reserve(weights.size());
    for (LayerWeights& one : weights) layers.push_back({std::move(one), {}});
    return layers;
}

std::vector<TrainedLayer> scaled_layers(const Graph& base, const std::vector<TrainedLayer>& layers,
                                        const ScaledNetwork& scaled, const WeightSettings& settings) {
    Network products{.name = scaled.network.name, .graph = base};
    for (const TrainedLayer& layer : layers) products.weights.push_back(layer.products);
    std::vector<std::string> known;  // `scaled` has what is not kept
    const std::vector<LayerWeights> gathered = detail::mapped_weights(
        {products, scaled.channels, settings}, scaled.network.graph, scaled.origins, known);
    const bool norms = has_batch_norms(layers);
    std::vector<TrainedLayer> result;
    for (std::size_t n = 0; n < gathered.size(); ++n) {
        const Node& node = scaled.network.graph.nodes[n];
        const int origin = scaled.origins[n].node;
        const bool copying = contains(scaled.copying, n);
        TrainedLayer layer;
        if (origin == no_node || copying) {
            const LayerWeights& made = copying ? scaled.network.weights[n] : gathered[n];
            layer = norms && learns_batch_norm(node) ? with_new_norm(node, made) : TrainedLayer{made, {}};
        } else {
            const TensorId output = base.nodes[at(origin)].outputs.front();
            layer = {gathered[n], picked(layers[at(origin)].norm, scaled.channels[at(output)])};
        }
        if (contains(scaled.zeroed, n)) {
            if (layer.norm.there()) {
                std::ranges::fill(layer.norm.scale, 0.0F);
                std::ranges::fill(layer.norm.shift, 0.0F);
            } else {
                layer.products = scaled.network.weights[n];
            }
        }
        result.push_back(std::move(layer));
    }
    return result;
}

}  // namespace hacscale
