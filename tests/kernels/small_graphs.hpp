// Graphs by hand that no model of stages is: several inputs and outputs, branches, residuals from far back, and maps that
// are not square. Backends run them and are compared with the reference.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/graph/graph.hpp"

namespace hacscale::testing {

struct NamedGraph {
    std::string name;
    Graph graph;
};

// Adds layers to a graph whose shapes follow from the tensors that they read.
class GraphBuilder {
public:
    explicit GraphBuilder(Layout layout) : layout_(layout) {}

    TensorId input(int channels, int height, int width) { return graph_.add_input(channels, height, width); }

    struct Conv {
        int width = 0;
        int kernel = 1;
        int stride = 1;
        int groups = 1;
        Activation activation = Activation::relu;
    };
    TensorId conv(TensorId from, const Conv& conv) { return add(conv_spec(from, conv), {from}); }
    TensorId conv(TensorId from, const Conv& conv, TensorId residual) {
        LayerSpec layer = conv_spec(from, conv);
        layer.residual = true;
        return add(layer, {from, residual});
    }
    TensorId depthwise(TensorId from, int stride = 1) {
        const int channels = graph_.tensors[from].channels;
        return conv(from, {.width = channels, .kernel = 3, .stride = stride, .groups = channels});
    }
    TensorId max_pool(TensorId from) { return pool(LayerKind::max_pool, from); }
    TensorId avg_pool(TensorId from) { return pool(LayerKind::avg_pool, from); }
    TensorId pool(LayerKind kind, TensorId from) {
        LayerSpec layer = spec(kind, from);
        layer.window = Window::square(3, 2, 1);
        return add(layer, {from});
    }
    TensorId global_avg_pool(TensorId from) { return add(spec(LayerKind::global_avg_pool, from), {from}); }
    TensorId scale_shift(TensorId from) { return add(spec(LayerKind::scale_shift, from), {from}); }
    TensorId linear(TensorId from, int width) {
        LayerSpec layer = spec(LayerKind::linear, from);
        layer.out_channels = width;
        return add(layer, {from});
    }
    TensorId squeeze_excite(TensorId from) {
        LayerSpec layer = spec(LayerKind::squeeze_excite, from);
        layer.activation = Activation::relu;
        layer.gate = Activation::sigmoid;
        layer.squeeze_channels = 4;
        return add(layer, {from});
    }

    TensorId activation(TensorId from, Activation activation) {
        LayerSpec layer = spec(LayerKind::activation, from);
        layer.activation = activation;
        return add(layer, {from});
    }
    TensorId sum(TensorId a, TensorId b) { return combine(LayerKind::add, a, b); }
    // `b` has the shape of `a`, or one number a channel.
    TensorId product(TensorId a, TensorId b) { return combine(LayerKind::multiply, a, b); }
    TensorId concat(const std::vector<TensorId>& parts) {
        LayerSpec layer = spec(LayerKind::concat, parts.front());
        layer.inputs = static_cast<std::uint16_t>(parts.size());
        layer.in_channels = 0;
        TensorIds inputs;
        for (const TensorId part : parts) {
            layer.in_channels += graph_.tensors[part].channels;
            inputs.push_back(part);
        }
        layer.out_channels = layer.in_channels;
        return add(layer, inputs);
    }
    TensorId slice(TensorId from, int first, int channels) {
        LayerSpec layer = spec(LayerKind::slice, from);
        layer.first_channel = first;
        layer.out_channels = channels;
        return add(layer, {from});
    }

    NamedGraph named(std::string name, std::vector<TensorId> outputs) {
        graph_.outputs = std::move(outputs);
        return {std::move(name), std::move(graph_)};
    }

    TensorId last() const { return static_cast<TensorId>(graph_.tensors.size()) - 1; }

    TensorId add(const LayerSpec& layer, TensorIds inputs) {
        Node node;
        node.layer = layer;
        node.name = "node" + std::to_string(graph_.nodes.size());
        node.inputs = std::move(inputs);
        return graph_.add_node(std::move(node));
    }

    // A layer that reads this tensor and keeps its shape.
    LayerSpec spec(LayerKind kind, TensorId from) const {
        const Tensor& tensor = graph_.tensors[from];
        LayerSpec layer;
        layer.kind = kind;
        layer.in_channels = layer.out_channels = tensor.channels;
        layer.in_height = tensor.height;
        layer.in_width = tensor.width;
        layer.layout = layout_;
        // As layers that have none compare equal.
        layer.bias = kind == LayerKind::conv || kind == LayerKind::linear;
        return layer;
    }

private:
    TensorId combine(LayerKind kind, TensorId a, TensorId b) {
        LayerSpec layer = spec(kind, a);
        layer.inputs = 2;
        const bool one_each = graph_.tensors[b].height == 1 && graph_.tensors[b].width == 1;
        if (one_each && layer.in_height * layer.in_width > 1) layer.mode = Mode::per_channel;
        return add(layer, {a, b});
    }

    LayerSpec conv_spec(TensorId from, const Conv& conv) const {
        LayerSpec layer = spec(LayerKind::conv, from);
        layer.out_channels = conv.width;
        layer.window = Window::square(conv.kernel, conv.stride, conv.kernel / 2);
        layer.groups = conv.groups;
        layer.activation = conv.activation;
        return layer;
    }

    Layout layout_;
    Graph graph_;
};

inline NamedGraph two_inputs(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 10, 14);
    const TensorId features = build.input(20, 5, 7);
    const TensorId reduced = build.conv(image, {.width = 20, .kernel = 3, .stride = 2}, features);
    return build.named("two_inputs", {build.conv(reduced, {.width = 12})});
}

inline NamedGraph two_outputs(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 9, 12);
    const TensorId first = build.conv(image, {.width = 20, .kernel = 3});
    const TensorId second = build.conv(first, {.width = 20, .kernel = 3});
    // The first output is added last of all: it must neither be written over nor be reused.
    const TensorId sum = build.conv(second, {.width = 20, .kernel = 3}, first);
    return build.named("two_outputs", {first, build.conv(sum, {.width = 8})});
}

inline NamedGraph three_readers(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 12, 8);
    const TensorId stem = build.conv(image, {.width = 20, .kernel = 3});
    const TensorId pooled = build.max_pool(stem);
    const TensorId filtered = build.depthwise(stem, 2);
    const TensorId sum = build.conv(stem, {.width = 20, .kernel = 3, .stride = 2}, pooled);
    return build.named("three_readers", {build.conv(filtered, {.width = 20}, sum)});
}

inline NamedGraph far_residual(Layout layout) {
    GraphBuilder build(layout);
    const TensorId first = build.conv(build.input(4, 7, 9), {.width = 12, .kernel = 3});
    TensorId here = first;
    for (int i = 0; i < 5; ++i) here = build.conv(here, {.width = i == 4 ? 12 : 20, .kernel = 3});
    here = build.conv(here, {.width = 12}, first);
    return build.named("far_residual", {build.linear(build.global_avg_pool(here), 5)});
}

inline NamedGraph diamond(Layout layout) {
    GraphBuilder build(layout);
    const TensorId top = build.conv(build.input(3, 8, 8), {.width = 16, .kernel = 3});
    const TensorId left = build.conv(top, {.width = 24});
    const TensorId right = build.squeeze_excite(build.conv(top, {.width = 24, .kernel = 3}));
    return build.named("diamond", {build.conv(left, {.width = 24, .kernel = 3}, right)});
}

// The input is read by layers that want it in different orders, and is added itself.
inline NamedGraph input_with_many_readers(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 6, 10);
    const TensorId dense = build.conv(image, {.width = 16, .kernel = 3});
    const TensorId filtered = build.depthwise(image);
    const TensorId sum = build.conv(dense, {.width = 3}, image);
    const TensorId pooled = build.max_pool(image);
    return build.named("input_with_many_readers",
                       {sum, build.conv(filtered, {.width = 16}, dense), pooled, build.avg_pool(image)});
}

// After a global pool a tensor is a vector, which is alike in all layouts but for its padding.
inline NamedGraph vectors(Layout layout) {
    GraphBuilder build(layout);
    const TensorId map = build.conv(build.input(3, 6, 6), {.width = 20, .kernel = 3});
    const TensorId pooled = build.global_avg_pool(map);
    const TensorId sum = build.conv(build.conv(pooled, {.width = 28}), {.width = 20}, pooled);
    const TensorId filtered = build.depthwise(pooled);
    return build.named("vectors", {build.linear(sum, 7), build.linear(filtered, 6), map});
}

// What an output of the graph is read by works on it no more in place.
inline NamedGraph output_in_the_middle(Layout layout) {
    GraphBuilder build(layout);
    const TensorId map = build.conv(build.input(3, 5, 11), {.width = 12, .kernel = 3});
    const TensorId gated = build.squeeze_excite(map);
    const TensorId twice = build.conv(gated, {.width = 12, .kernel = 3}, gated);
    return build.named("output_in_the_middle", {map, build.scale_shift(twice), gated});
}

// ---- Layers that read several tensors ----

// Sums in place of either input, or of none where both are read again.
inline NamedGraph sums(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 6, 5);
    const TensorId left = build.conv(image, {.width = 20, .kernel = 3});
    const TensorId right = build.conv(image, {.width = 20});
    const TensorId first = build.sum(left, right);
    const TensorId second = build.sum(build.activation(first, Activation::gelu), left);
    const TensorId twice = build.sum(second, second);
    return build.named("sums", {twice, build.product(first, second), build.sum(image, image)});
}

// Dense blocks, whose inputs fill no block of channels, and a split with both halves read.
inline NamedGraph joins(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 7, 6);
    const TensorId first = build.conv(image, {.width = 12, .kernel = 3});
    const TensorId second = build.conv(build.concat({first, image}), {.width = 12, .kernel = 3});
    const TensorId all = build.concat({first, second, image, first});
    const TensorId left = build.slice(all, 0, 17);
    const TensorId right = build.slice(all, 17, 22);
    return build.named("joins",
                       {build.conv(right, {.width = 17, .kernel = 3}, left), build.concat({right, left})});
}

// A gate that is computed by convs on a pooled vector, and one that is an input of the graph.
inline NamedGraph gates(Layout layout) {
    GraphBuilder build(layout);
    const TensorId gate_input = build.input(20, 1, 1);
    const TensorId map = build.conv(build.input(5, 4, 7), {.width = 20, .kernel = 3});
    const TensorId hidden = build.conv(build.global_avg_pool(map), {.width = 6});
    const TensorId gate = build.conv(hidden, {.width = 20, .activation = Activation::sigmoid});
    const TensorId gated = build.product(build.activation(map, Activation::sigmoid), gate);
    return build.named("gates", {build.product(gated, gate_input), build.product(gate, gate_input),
                                 build.concat({gate, build.linear(map, 7)})});
}

// Down and up again, parallel to a path with norms and shuffles.
inline NamedGraph down_and_up(Layout layout) {
    GraphBuilder build(layout);
    const TensorId image = build.input(3, 8, 12);
    const TensorId map = build.conv(image, {.width = 20, .kernel = 3});
    LayerSpec up = build.spec(LayerKind::resize, build.max_pool(map));
    up.size = {8, 12};
    up.mode = Mode::bilinear;
    const TensorId large = build.add(up, {build.last()});
    LayerSpec norm = build.spec(LayerKind::layer_norm, map);
    norm.epsilon = 1e-6F;
    LayerSpec shuffle = build.spec(LayerKind::channel_shuffle, map);
    shuffle.groups = 4;
    const TensorId shuffled = build.add(shuffle, {build.add(norm, {map})});
    LayerSpec blocks = build.spec(LayerKind::space_to_depth, image);
    blocks.out_channels = 12;
    blocks.window.strides = {2, 2};
    blocks.mode = Mode::channels_first;
    return build.named("down_and_up", {build.concat({large, shuffled}), build.add(blocks, {image})});
}

// Attention of two heads over the pixels of a map, whose shares are scaled and shifted; convs and gates read what it writes.
inline NamedGraph attention(Layout layout) {
    GraphBuilder build(layout);
    const auto heads = [&](TensorId from, int channels, int height, int width) {
        LayerSpec layer = build.spec(LayerKind::reshape, from);
        layer.out_channels = channels;
        layer.size = {height, width};
        return build.add(layer, {from});
    };
    const auto product = [&](Mode mode, TensorId first, TensorId second, std::array<int, 2> size) {
        LayerSpec layer = build.spec(LayerKind::matmul, first);
        layer.inputs = 2;
        layer.mode = mode;
        layer.size = size;
        return build.add(layer, {first, second});
    };
    const auto formed = [&](LayerKind kind, Mode mode, TensorId first, TensorId second) {
        LayerSpec layer = build.spec(kind, first);
        layer.inputs = 2;
        layer.mode = mode;
        return build.add(layer, {first, second});
    };
    const TensorId map = build.conv(build.input(3, 4, 5), {.width = 36, .kernel = 3});
    const TensorId query = heads(build.slice(map, 0, 12), 2, 6, 20);
    const TensorId key = heads(build.slice(map, 12, 12), 2, 6, 20);
    const TensorId value = heads(build.slice(map, 24, 12), 2, 6, 20);
    TensorId shares = build.scale_shift(product(Mode::transpose_first, query, key, {20, 20}));
    for (const LayerKind kind : {LayerKind::map_scale, LayerKind::map_bias}) {
        shares = build.add(build.spec(kind, shares), {shares});
    }
    LayerSpec softmax = build.spec(LayerKind::softmax, shares);
    softmax.mode = Mode::over_width;
    shares = build.add(softmax, {shares});
    const TensorId mixed = product(Mode::transpose_second, value, shares, {6, 20});
    LayerSpec tokens_first = build.spec(LayerKind::permute, mixed);
    tokens_first.mode = Mode::order_cwh;
    tokens_first.out_channels = 2;
    const TensorId tokens = build.add(tokens_first, {mixed});
    const TensorId one_row = build.slice(shares, 0, 1);
    const TensorId gated =
        formed(LayerKind::multiply, Mode::per_channel, mixed, build.global_avg_pool(mixed));
    const TensorId divided =
        formed(LayerKind::multiply, Mode::divide, gated, build.activation(mixed, Activation::softplus));
    const TensorId shifted = formed(LayerKind::add, Mode::per_pixel, shares, one_row);
    return build.named("attention", {build.conv(heads(mixed, 12, 4, 5), {.width = 7, .kernel = 3},
                                                build.conv(map, {.width = 7})),
                                     build.linear(tokens, 5), divided, shifted, build.squeeze_excite(mixed)});
}

inline std::vector<NamedGraph> graphs_of_several_inputs(Layout layout) {
    return {sums(layout), joins(layout), gates(layout), down_and_up(layout), attention(layout)};
}

inline std::vector<NamedGraph> small_graphs(Layout layout) {
    return {two_inputs(layout),    two_outputs(layout),
            three_readers(layout), far_residual(layout),
            diamond(layout),       input_with_many_readers(layout),
            vectors(layout),       output_in_the_middle(layout)};
}

}  // namespace hacscale::testing
