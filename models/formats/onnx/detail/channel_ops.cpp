// Operators on one number for each channel that exporters write in several nodes: global response normalization (GRN, Woo et al. 2023)
// and the conv over channels of efficient channel attention (ECA, Wang et al. 2020).
#include <algorithm>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

// ---- The 2-norm as the root of a sum of squares, as PyTorch 2.0 and earlier write it: |x|^2 summed, to the power 1/2 ----

bool is_power(const Edges& edges, const Node* node, float exponent) {
    if (node == nullptr || node->op_type != "Pow") {
        return false;
    }
    const auto number = edges.scalar(node->inputs[1]);
    return number && *number == exponent;
}

void recognise_two_norm(const Edges& edges, Node& root) {
    if (root.op_type != "Sqrt" && !is_power(edges, &root, 0.5F)) {
        return;
    }
    const Node* sum = edges.only_producer(root.inputs.front(), "ReduceSum");
    const Node* square = sum == nullptr ? nullptr : edges.producer(sum->inputs.front());
    const bool is_square = is_power(edges, square, 2) || (square != nullptr && square->op_type == "Mul" &&
                                                          square->inputs[0] == square->inputs[1]);
    if (!is_square || edges.reads(square->outputs.front()) != 1) {
        return;
    }
    std::vector<const Node*> nodes = {square, sum};
    std::string x = square->inputs.front();
    if (const Node* magnitude = edges.only_producer(x, "Abs")) {
        nodes.insert(nodes.begin(), magnitude);
        x = magnitude->inputs.front();
    }
    Edges::become(root, "ReduceL2", {x}, sum->attributes, nodes);
    root.domain.clear();
}

// ---- GRN: x + (scale x n + bias), n = g / (mean of g over channels + epsilon), g = the 2-norm of x over height and width ----

struct Response {
    std::string x;
    float epsilon = 0;
    std::vector<const Node*> nodes;
};

// n, where `value` is that.
std::optional<Response> response_of(const Edges& edges, const std::string& value) {
    const Node* quotient = edges.only_producer(value, "Div");
    const Node* norm = quotient == nullptr ? nullptr : edges.producer(quotient->inputs[0]);
    const Node* add = quotient == nullptr ? nullptr : edges.only_producer(quotient->inputs[1], "Add");
    if (norm == nullptr || add == nullptr || norm->op_type != "ReduceL2" ||
        norm->integers("axes", {}) != Ints{2, 3}) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const auto epsilon = edges.scalar(add->inputs[i]);
        const Node* mean = epsilon ? edges.only_producer(add->inputs[1 - i], "ReduceMean") : nullptr;
        const bool fits = mean != nullptr && mean->inputs.front() == norm->outputs.front() &&
                          mean->integers("axes", {}) == Ints{1} && mean->integer("keepdims", 1) != 0 &&
                          norm->integer("keepdims", 1) != 0;
        if (fits) {
            return Response{norm->inputs.front(), *epsilon, {norm, mean, add, quotient}};
        }
    }
    return std::nullopt;
}

// A constant of one number for each channel of N C H W, as a list.
std::optional<Tensor> channel_list(const Edges& edges, const std::string& value, std::int64_t channels) {
    const Tensor* constant = edges.constant(value);
    if (constant == nullptr ||
        (constant->dims != Ints{channels, 1, 1} && constant->dims != Ints{1, channels, 1, 1})) {
        return std::nullopt;
    }
    Tensor list = *constant;
    list.dims = {channels};
    return list;
}

// scale x n: the operands of its two products in any order.
struct Scaled {
    Response response;
    Tensor scale;
};

std::optional<Scaled> scaled_response(const Edges& edges, const std::string& value, const std::string& x,
                                      std::int64_t channels) {
    const Node* outer = edges.only_producer(value, "Mul");
    if (outer == nullptr) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        auto scale = channel_list(edges, outer->inputs[i], channels);
        const Node* inner = scale ? edges.only_producer(outer->inputs[1 - i], "Mul") : nullptr;
        if (inner == nullptr) {
            continue;
        }
        for (std::size_t j = 0; j < 2; ++j) {
            auto response = inner->inputs[j] == x ? response_of(edges, inner->inputs[1 - j]) : std::nullopt;
            if (!response || response->x != x) {
                continue;
            }
            response->nodes.insert(response->nodes.end(), {inner, outer});
            return Scaled{*response, *scale};
        }
    }
    return std::nullopt;
}

void recognise_response_norm(Edges& edges, Node& root) {
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string x = root.inputs[i];
        const Node* add = edges.only_producer(root.inputs[1 - i], "Add");
        if (add == nullptr || edges.dims(x).size() != 4) {
            continue;
        }
        const std::int64_t channels = edges.dims(x)[1];
        for (std::size_t j = 0; j < 2; ++j) {
            auto bias = channel_list(edges, add->inputs[j], channels);
            auto scaled = bias ? scaled_response(edges, add->inputs[1 - j], x, channels) : std::nullopt;
            if (!scaled) {
                continue;
            }
            scaled->response.nodes.push_back(add);
            std::vector<std::string> inputs = {
                x, add_derived(edges.network, scaled->scale.name, "_list", scaled->scale),
                add_derived(edges.network, bias->name, "_list", *bias)};
            Edges::become(root, "Grn", std::move(inputs), {{"epsilon", scaled->response.epsilon}},
                          scaled->response.nodes);
            return;
        }
    }
}

// ---- ECA: N C 1 1 as N 1 C, a conv along C with one channel, an activation or none, and back ----

void recognise_conv_over_channels(Edges& edges, Node& back) {
    const Ints dims = edges.dims(back.outputs.front());
    if (dims.size() != 4 || dims[2] != 1 || dims[3] != 1) {
        return;
    }
    Node* activation = edges.producer(back.inputs.front());
    if (activation == nullptr || edges.reads(back.inputs.front()) != 1) {
        return;
    }
    Node* conv = activation;
    if (activation->op_type == "Sigmoid" ||
        (activation->op_type == "HardSigmoid" && activation->inputs.size() == 1)) {
        conv = edges.only_producer(activation->inputs.front(), "Conv");
    }
    const Node* before = conv == nullptr || conv->op_type != "Conv"
                             ? nullptr
                             : edges.only_producer(conv->inputs.front(), "Reshape");
    if (before == nullptr || edges.dims(before->inputs.front()) != dims) {
        return;
    }
    const Ints row = {dims[0], 1, dims[1]};
    const Tensor* weights = edges.constant(conv->inputs[1]);
    if (edges.dims(conv->inputs.front()) != row || edges.dims(conv->outputs.front()) != row ||
        weights == nullptr || conv->integers("strides", {}) != Ints{1} ||
        conv->integers("dilations", {}) != Ints{1}) {
        return;
    }
    Tensor kernel = *weights;
    kernel.dims = {weights->count()};
    std::vector<std::string> inputs = {before->inputs.front(),
                                       add_derived(edges.network, conv->inputs[1], "_kernel", kernel)};
    if (conv->inputs.size() > 2) {
        inputs.push_back(conv->inputs[2]);
    }
    const Ints pads = conv->integers("pads", {});
    if (conv == activation) {
        Edges::become(back, "ConvOverChannels", std::move(inputs), {{"pads", pads}}, {before, conv});
        back.name = conv->name;
        return;
    }
    Edges::become(*conv, "ConvOverChannels", std::move(inputs), {{"pads", pads}}, {before});
    edges.network.values.set_type(conv->outputs.front(), {weights->type, dims});
    // The activation takes the place of the Reshape after it.
    std::vector<std::string> sources = sources_of(*activation);
    sources.push_back(back.name);
    back.op_type = activation->op_type;
    back.domain = activation->domain;
    back.name = activation->name;
    back.attributes = activation->attributes;
    back.inputs = activation->inputs;
    back.sources = std::move(sources);
}

}  // namespace

void recognise_channel_ops(Network& network) {
    Edges edges(network);
    for (Node& node : network.nodes) {
        if (!node.domain.empty()) {
            continue;
        }
        if (node.op_type == "Pow" || node.op_type == "Sqrt") {
            recognise_two_norm(edges, node);
        }
        if (node.op_type == "Add") {
            recognise_response_norm(edges, node);
        }
        if (node.op_type == "Reshape") {
            recognise_conv_over_channels(edges, node);
        }
    }
}

}  // namespace hacscale::onnx::detail
