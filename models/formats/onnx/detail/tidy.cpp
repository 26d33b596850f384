// One form for what can be written in several: linear layers, differences and quotients with constants, shapes of unit axes.
#include <algorithm>
#include <utility>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

bool is_floating_value(const Network& network, const std::string& value) {
    const ValueType* type = network.values.type(value);
    return type != nullptr && is_floating(type->type);
}

template <typename Function>
Tensor mapped(const Tensor& tensor, const Function& function) {
    std::vector<float> numbers = tensor.floats();
    for (float& number : numbers) {
        number = function(number);
    }
    return tensor_as(tensor_of(tensor.name, tensor.dims, numbers), tensor.type);
}

// ---- Linear layers: x W^T + b ----

// A constant that is broadcast to `rows` x `outputs` without depending on the row, as a list of `outputs` numbers.
std::optional<Tensor> bias_list(const Tensor* constant, std::int64_t outputs) {
    if (constant == nullptr || (constant->count() != outputs && constant->count() != 1) ||
        constant->dims.size() > 2) {
        return std::nullopt;
    }
    if (constant->dims.size() == 2 && constant->dims[0] != 1) {
        return std::nullopt;
    }
    Tensor list = picked(constant->type, {outputs},
                         [&](std::int64_t i) { return element(*constant, constant->count() == 1 ? 0 : i); });
    list.name = constant->name;
    return list;
}

void become_linear(Network& network, Node& node, const Tensor& weights, std::optional<Tensor> bias,
                   const std::string& weights_name) {
    std::vector<std::string> inputs = {node.inputs[0], weights_name};
    if (network.values.constant(weights_name) != &weights) {
        inputs[1] = add_derived(network, weights_name, "_transposed", weights);
    }
    if (bias) {
        inputs.push_back(add_derived(network, bias->name, "_list", *bias));
    }
    node.op_type = "Gemm";
    node.inputs = std::move(inputs);
    node.attributes = {
        {"alpha", 1.0F}, {"beta", 1.0F}, {"transA", std::int64_t{0}}, {"transB", std::int64_t{1}}};
}

void tidy_gemm(Edges& edges, Node& node) {
    const Tensor* weights = edges.constant(node.inputs[1]);
    if (weights == nullptr || node.integer("transA", 0) != 0) {
        return;
    }
    const float alpha = node.number("alpha", 1);
    const float beta = node.number("beta", 1);
    const bool is_transposed = node.integer("transB", 0) != 0;
    const std::int64_t outputs = weights->dims[is_transposed ? 0 : 1];
    std::optional<Tensor> bias;
    if (node.inputs.size() > 2 && beta != 0) {
        bias = bias_list(edges.constant(node.inputs[2]), outputs);
        if (!bias) {
            return;
        }
        if (beta != 1) {
            bias = mapped(*bias, [beta](float number) { return number * beta; });
        }
    }
    if (is_transposed && alpha == 1 && beta == 1 && node.inputs.size() < 3) {
        return;
    }
    if (is_transposed && alpha == 1 && beta == 1 && edges.dims(node.inputs[2]) == Ints{outputs}) {
        return;
    }
    const std::string name = node.inputs[1];
    if (is_transposed && alpha == 1) {
        become_linear(edges.network, node, *weights, std::move(bias), name);
        return;
    }
    Tensor moved = is_transposed ? *weights : transposed(*weights);
    if (alpha != 1) {
        moved = mapped(moved, [alpha](float number) { return number * alpha; });
    }
    become_linear(edges.network, node, moved, std::move(bias), name);
}

// A product of a matrix that the network computes and a constant one, with the constant that is added to it.
void tidy_matmul(Edges& edges, Node& node) {
    const Tensor* weights = edges.constant(node.inputs[1]);
    if (weights == nullptr || weights->dims.size() != 2 || edges.dims(node.inputs[0]).size() != 2) {
        return;
    }
    Node* add = edges.only_reader(node.outputs.front());
    std::optional<Tensor> bias;
    if (add != nullptr && add->op_type == "Add" && add->domain.empty()) {
        const std::size_t at = add->inputs[0] == node.outputs.front() ? 1 : 0;
        bias = bias_list(edges.constant(add->inputs[at]), weights->dims[1]);
        if (bias && edges.dims(add->outputs.front()) != edges.dims(node.outputs.front())) {
            bias.reset();
        }
    }
    const std::string x = node.inputs[0];
    const std::string weights_name = node.inputs[1];
    Node& root = bias ? *add : node;
    if (bias) {
        root.sources = {node.name, add->name};
    }
    root.inputs = {x};
    become_linear(edges.network, root, transposed(*weights), std::move(bias), weights_name);
}

// A constant that is added to all outputs of a conv without bias is its bias.
void tidy_conv_bias(Edges& edges, Node& add) {
    for (std::size_t i = 0; i < 2; ++i) {
        Node* conv = edges.only_producer(add.inputs[i], "Conv");
        const Tensor* constant = edges.constant(add.inputs[1 - i]);
        if (conv == nullptr || conv->inputs.size() != 2 || constant == nullptr) {
            continue;
        }
        const Ints& dims = edges.dims(conv->outputs.front());
        const Ints by_channel(dims.size() - 2, 1);
        Ints expected = {dims[1]};
        expected.insert(expected.end(), by_channel.begin(), by_channel.end());
        if (constant->dims != expected || edges.dims(add.outputs.front()) != dims) {
            continue;
        }
        Tensor bias = *constant;
        bias.dims = {dims[1]};
        // The Add becomes the conv, so that its readers find it.
        add.sources = sources_of(*conv);
        add.sources.push_back(add.name);
        add.name = conv->name;
        add.op_type = "Conv";
        add.attributes = conv->attributes;
        add.inputs = {conv->inputs[0], conv->inputs[1],
                      add_derived(edges.network, add.inputs[1 - i], "_list", std::move(bias))};
        return;
    }
}

// ---- Element by element ----

// x - c and x / c as x + (-c) and x (1 / c).
void tidy_constant_operand(Edges& edges, Node& node) {
    const Tensor* constant = edges.constant(node.inputs[1]);
    if (constant == nullptr || !is_floating(constant->type)) {
        return;
    }
    const bool is_difference = node.op_type == "Sub";
    const Tensor replaced = is_difference ? mapped(*constant, [](float number) { return -number; })
                                          : mapped(*constant, [](float number) { return 1.0F / number; });
    node.inputs[1] =
        add_derived(edges.network, node.inputs[1], is_difference ? "_negated" : "_inverse", replaced);
    node.op_type = is_difference ? "Add" : "Mul";
}

// (x c) d as x (c d), for single numbers.
void tidy_scales(Edges& edges, Node& node) {
    for (std::size_t i = 0; i < 2; ++i) {
        const auto outer = edges.scalar(node.inputs[i]);
        Node* inner = edges.only_producer(node.inputs[1 - i], "Mul");
        if (!outer || inner == nullptr || !inner->domain.empty()) {
            continue;
        }
        for (std::size_t j = 0; j < 2; ++j) {
            const Tensor* constant = edges.constant(inner->inputs[j]);
            if (constant == nullptr || constant->count() != 1) {
                continue;
            }
            const float product = *outer;
            Tensor both = mapped(*constant, [product](float number) { return number * product; });
            both.dims.clear();
            // Moved, not copied: a chain of products hands them on from node to node.
            node.sources =
                inner->sources.empty() ? std::vector<std::string>{inner->name} : std::move(inner->sources);
            inner->sources.clear();
            node.sources.push_back(node.name);
            node.inputs = {inner->inputs[1 - j],
                           add_derived(edges.network, inner->inputs[j], "_product", std::move(both))};
            return;
        }
    }
}

// An operand that is expanded to what broadcasting would make of it.
void tidy_expanded_operands(const Edges& edges, Node& node) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Node* expand = edges.producer(node.inputs[i]);
        if (expand == nullptr || expand->op_type != "Expand") {
            continue;
        }
        std::optional<Ints> shape = edges.dims(expand->inputs.front());
        for (std::size_t j = 0; j < node.inputs.size() && shape; ++j) {
            if (j != i) {
                shape = broadcast(*shape, edges.dims(node.inputs[j]));
            }
        }
        if (shape && *shape == edges.dims(node.outputs.front())) {
            node.inputs[i] = expand->inputs.front();
        }
    }
}

// Whether two axes or more that are not 1 change places.
bool moves_elements(const Ints& dims, const Ints& order) {
    Ints wide;
    std::copy_if(order.begin(), order.end(), std::back_inserter(wide),
                 [&dims](std::int64_t axis) { return dims[axis] != 1; });
    return !std::is_sorted(wide.begin(), wide.end());
}

void tidy_shape(const Edges& edges, Node& node) {
    // The first axis is the batch, which may become another number than 1 later.
    const Ints order = node.op_type == "Transpose" ? node.integers("perm", {}) : Ints{};
    if (!order.empty() && order.front() == 0 && !moves_elements(edges.dims(node.inputs.front()), order)) {
        node.op_type = "Reshape";
        node.attributes = {{"shape", edges.dims(node.outputs.front())}};
    }
    if (node.op_type != "Reshape") {
        return;
    }
    while (const Node* before = edges.producer(node.inputs.front())) {
        if (before->op_type != "Reshape" || !before->domain.empty()) {
            break;
        }
        node.inputs.front() = before->inputs.front();
    }
}

// A mean over the spatial axes that drops them, as a global pool and a Reshape.
void split_means(Network& network) {
    std::vector<Node> nodes;
    for (Node& node : network.nodes) {
        const ValueType* input = node.inputs.empty() ? nullptr : network.values.type(node.inputs.front());
        const bool is_pool = node.op_type == "ReduceMean" && input != nullptr &&
                             node.integer("keepdims", 1) == 0 && input->dims.size() == 4 &&
                             node.integers("axes", {}) == Ints{2, 3} && is_floating(input->type);
        if (is_pool) {
            const std::string output = node.outputs.front();
            const std::string pooled = unused_name(network, output + "_pooled");
            network.values.set_type(pooled, {input->type, {input->dims[0], input->dims[1], 1, 1}});
            Node reshape;
            reshape.op_type = "Reshape";
            reshape.name = node.name + "_reshaped";
            reshape.inputs = {pooled};
            reshape.outputs = {output};
            reshape.attributes = {{"shape", network.values.type(output)->dims}};
            reshape.sources = sources_of(node);
            node.op_type = "GlobalAveragePool";
            node.attributes.clear();
            node.outputs = {pooled};
            nodes.push_back(std::move(node));
            nodes.push_back(std::move(reshape));
        } else {
            nodes.push_back(std::move(node));
        }
    }
    network.nodes = std::move(nodes);
}

}  // namespace

void tidy(Network& network) {
    split_means(network);
    Edges edges(network);
    for (Node& node : network.nodes) {
        if (!node.domain.empty() || node.outputs.empty() ||
            !is_floating_value(network, node.outputs.front())) {
            continue;
        }
        if (node.inputs.size() >= 2 && (node.op_type == "Add" || node.op_type == "Mul" ||
                                        node.op_type == "Sub" || node.op_type == "Div")) {
            tidy_expanded_operands(edges, node);
        }
        if (node.op_type == "Sub" || node.op_type == "Div") {
            tidy_constant_operand(edges, node);
        }
        if (node.op_type == "Mul") {
            tidy_scales(edges, node);
        }
        if (node.op_type == "Gemm") {
            tidy_gemm(edges, node);
        }
        if (node.op_type == "MatMul") {
            tidy_matmul(edges, node);
        }
        if (node.op_type == "Add") {
            tidy_conv_bias(edges, node);
        }
        if (node.op_type == "Transpose" || node.op_type == "Reshape") {
            tidy_shape(edges, node);
        }
    }
}

}  // namespace hacscale::onnx::detail
