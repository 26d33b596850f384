// Graphs of convs of all kinds, adds, concats, slices, shuffles and layers by channel, in random order. The same seed gives the same
// graph.
#pragma once

#include <array>
#include <random>
#include <string>

#include "models/graph/graph.hpp"

namespace hacscale::testing {

inline LayerSpec layer_on(const Graph& graph, TensorId input, LayerKind kind) {
    const Tensor& read = graph.tensors[static_cast<std::size_t>(input)];
    LayerSpec layer;
    layer.kind = kind;
    layer.in_channels = layer.out_channels = read.channels;
    layer.in_height = read.height;
    layer.in_width = read.width;
    return layer;
}

inline TensorId append(Graph& graph, const std::string& name, const LayerSpec& layer, TensorIds inputs) {
    Node node;
    node.name = name;
    node.layer = layer;
    node.inputs = inputs;
    node.learned_params = cost_of(layer, 1, DataType::f32).params;
    return graph.add_node(node);
}

inline TensorId conv(Graph& graph, const std::string& name, TensorId input, int width, int groups = 1,
                     Window window = {}, Activation activation = Activation::none) {
    LayerSpec layer = layer_on(graph, input, LayerKind::conv);
    layer.out_channels = width;
    layer.groups = groups;
    layer.window = window;
    layer.activation = activation;
    return append(graph, name, layer, {input});
}

inline TensorId conv_plus(Graph& graph, const std::string& name, TensorId input, TensorId added,
                          Activation activation = Activation::none) {
    LayerSpec layer = layer_on(graph, input, LayerKind::conv);
    layer.out_channels = graph.tensors[static_cast<std::size_t>(added)].channels;
    layer.residual = true;
    layer.activation = activation;
    return append(graph, name, layer, {input, added});
}

inline TensorId concat(Graph& graph, const std::string& name, TensorIds inputs) {
    LayerSpec layer = layer_on(graph, inputs.front(), LayerKind::concat);
    layer.inputs = static_cast<std::uint16_t>(inputs.size());
    layer.in_channels = 0;
    for (const TensorId input : inputs)
        layer.in_channels += graph.tensors[static_cast<std::size_t>(input)].channels;
    layer.out_channels = layer.in_channels;
    return append(graph, name, layer, inputs);
}

inline TensorId slice(Graph& graph, const std::string& name, TensorId input, int first, int channels) {
    LayerSpec layer = layer_on(graph, input, LayerKind::slice);
    layer.first_channel = first;
    layer.out_channels = channels;
    return append(graph, name, layer, {input});
}

inline TensorId shuffle(Graph& graph, const std::string& name, TensorId input, int groups) {
    LayerSpec layer = layer_on(graph, input, LayerKind::channel_shuffle);
    layer.groups = groups;
    return append(graph, name, layer, {input});
}

// One resolution, so that tensors of equal width can be added.
class RandomGraph {
public:
    explicit RandomGraph(unsigned seed) : random_(seed) {
        graph.inputs = {graph.add_input(12, 4, 4)};
        const int nodes = 4 + below(16);
        for (int i = 0; i < nodes; ++i) add("node" + std::to_string(i));
        const auto last = static_cast<TensorId>(graph.tensors.size()) - 1;
        graph.outputs = {last};
        if (below(4) == 0 && last > 2) graph.outputs.push_back(1 + below(last - 1));
    }

    Graph graph;

private:
    int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
    int channels_of(TensorId tensor) const {
        return graph.tensors[static_cast<std::size_t>(tensor)].channels;
    }
    Activation activation() {
        constexpr std::array some{Activation::none, Activation::relu, Activation::silu,
                                  Activation::hard_swish};
        return some[static_cast<std::size_t>(below(static_cast<int>(some.size())))];
    }

    void add(const std::string& name) {
        const int tensors = static_cast<int>(graph.tensors.size());
        const TensorId input = below(2) == 0 ? tensors - 1 : below(tensors);
        const int channels = channels_of(input);
        switch (below(14)) {
            case 0:
                add_by_channel(name, input);
                return;
            case 1: {
                LayerSpec layer = layer_on(graph, input, LayerKind::squeeze_excite);
                layer.squeeze_channels = 4;
                layer.gate = Activation::sigmoid;
                append(graph, name, layer, {input});
                return;
            }
            case 2:
                conv(graph, name, input, channels, channels, Window::square(3, 1, 1), activation());
                return;
            case 3: {
                const int group = channels % 2 == 0 ? 1 << below(2) : 1;
                conv(graph, name, input, channels * (1 + below(2)), channels / group);
                return;
            }
            case 4:
            case 5:
                conv_plus(graph, name, input, below(tensors), activation());
                return;
            case 6: {
                LayerSpec layer =
                    layer_on(graph, input, below(3) == 0 ? LayerKind::multiply : LayerKind::add);
                layer.inputs = 2;
                append(graph, name, layer, {input, same_width(input)});
                return;
            }
            case 7:
            case 8:
                if (channels < most) concat(graph, name, {input, narrow()});
                return;
            case 9: {
                const int kept = 1 + below(channels);
                slice(graph, name, input, below(channels - kept + 1), kept);
                return;
            }
            case 10:
                if (channels % 2 == 0) shuffle(graph, name, input, channels % 3 == 0 ? 2 + below(2) : 2);
                return;
            case 11: {
                LayerSpec layer = layer_on(graph, input, LayerKind::transposed_conv);
                layer.out_channels = 12;
                layer.window = Window::square(3, 1, 1);
                layer.groups = channels % 4 == 0 ? 1 << below(3) : 1;
                append(graph, name, layer, {input});
                return;
            }
            default:
                conv(graph, name, input, 12 << below(2), channels % 4 == 0 && below(3) == 0 ? 4 : 1,
                     Window::square(1 + 2 * below(2), 1, 0).kernel[0] == 3 ? Window::square(3, 1, 1)
                                                                           : Window(),
                     activation());
        }
    }

    void add_by_channel(const std::string& name, TensorId input) {
        constexpr std::array kinds{LayerKind::scale_shift, LayerKind::prelu,    LayerKind::activation,
                                   LayerKind::avg_pool,    LayerKind::map_bias, LayerKind::map_scale};
        LayerSpec layer = layer_on(graph, input, kinds[static_cast<std::size_t>(below(kinds.size()))]);
        if (layer.kind == LayerKind::activation) layer.activation = Activation::hard_swish;
        if (layer.kind == LayerKind::avg_pool) layer.window = Window::square(3, 1, 1);
        append(graph, name, layer, {input});
    }

    TensorId narrow() {
        TensorId tensor = below(static_cast<int>(graph.tensors.size()));
        while (channels_of(tensor) > most) tensor = below(static_cast<int>(graph.tensors.size()));
        return tensor;
    }

    // A tensor with as many channels; it may be the same one.
    TensorId same_width(TensorId tensor) {
        TensorId other = below(static_cast<int>(graph.tensors.size()));
        while (channels_of(other) != channels_of(tensor))
            other = (other + 1) % static_cast<int>(graph.tensors.size());
        return other;
    }

    static constexpr int most = 96;
    std::mt19937 random_;
};

}  // namespace hacscale::testing
