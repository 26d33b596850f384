// Activations that exporters write in several nodes, and those that ONNX has several names for. Formulas: SiLU x sigmoid(x); hard-sigmoid
// clip(x + 3, 0, 6) / 6 (Howard et al. 2019); hard-swish x hard-sigmoid(x); GELU x (1 + erf(x / sqrt 2)) / 2, or with
// tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for erf (Hendrycks and Gimpel 2016); Mish x tanh(softplus(x)) (Misra 2019).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

// A product of a constant and values, as a tree of Mul and Div nodes writes it.
struct Product {
    double constant = 1;
    std::vector<std::string> factors;
    std::vector<const Node*> nodes;  // of the tree, without its root
};

constexpr std::size_t max_factors = 8;

void add_factor(const Edges& edges, const std::string& value, Product& product);

void add_operands(const Edges& edges, const Node& node, Product& product) {
    add_factor(edges, node.inputs[0], product);
    if (node.op_type == "Mul") {
        add_factor(edges, node.inputs[1], product);
        return;
    }
    if (const auto divisor = edges.scalar(node.inputs[1])) {
        product.constant /= static_cast<double>(*divisor);
    } else {
        product.factors.emplace_back();  // a quotient of two values is no product
    }
}

void add_factor(const Edges& edges, const std::string& value, Product& product) {
    if (product.factors.size() > max_factors || product.nodes.size() > max_factors) {
        return;
    }
    if (const auto number = edges.scalar(value)) {
        product.constant *= static_cast<double>(*number);
        return;
    }
    const Node* node = edges.only_producer(value, "Mul");
    if (node == nullptr) {
        node = edges.only_producer(value, "Div");
    }
    if (node == nullptr || !node->domain.empty()) {
        product.factors.push_back(value);
        return;
    }
    product.nodes.push_back(node);
    add_operands(edges, *node, product);
}

Product product_of(const Edges& edges, const Node& root) {
    Product product;
    add_operands(edges, root, product);
    return product;
}

// A product of one constant and one value: the value where the constant is near `expected`, else an empty name.
std::string scaled_value(const Edges& edges, const std::string& value, double expected,
                         std::vector<const Node*>& nodes) {
    Product product;
    add_factor(edges, value, product);
    if (product.factors.size() != 1 || !is_near(static_cast<float>(product.constant), expected)) {
        return {};
    }
    nodes.insert(nodes.end(), product.nodes.begin(), product.nodes.end());
    return product.factors.front();
}

// The other operand of an Add of a constant near `expected`, else an empty name.
std::string without_constant(const Edges& edges, const Node& add, double expected) {
    for (std::size_t i = 0; i < 2; ++i) {
        const auto number = edges.scalar(add.inputs[i]);
        if (number && is_near(*number, expected)) {
            return add.inputs[1 - i];
        }
    }
    return {};
}

// clip(x + 3, 0, 6): x, or an empty name.
std::string shifted_relu6(const Edges& edges, const std::string& value, std::vector<const Node*>& nodes) {
    const Node* clip = edges.only_producer(value, "Clip");
    if (clip == nullptr || !is_near(clip->number("min", -1), 0) || !is_near(clip->number("max", 0), 6)) {
        return {};
    }
    const Node* add = edges.only_producer(clip->inputs.front(), "Add");
    if (add == nullptr) {
        return {};
    }
    nodes.push_back(add);
    nodes.push_back(clip);
    return without_constant(edges, *add, 3);
}

// x + 0.044715 x^3, x^3 as a product or a power: whether `value` is that of `x`.
bool is_gelu_polynomial(const Edges& edges, const std::string& value, const std::string& x,
                        std::vector<const Node*>& nodes) {
    const Node* add = edges.only_producer(value, "Add");
    if (add == nullptr) {
        return false;
    }
    nodes.push_back(add);
    for (std::size_t i = 0; i < 2; ++i) {
        if (add->inputs[i] != x) {
            continue;
        }
        Product cube;
        add_factor(edges, add->inputs[1 - i], cube);
        if (!is_near(static_cast<float>(cube.constant), 0.044715)) {
            continue;
        }
        nodes.insert(nodes.end(), cube.nodes.begin(), cube.nodes.end());
        if (cube.factors == std::vector<std::string>{x, x, x}) {
            return true;
        }
        const Node* power =
            cube.factors.size() == 1 ? edges.only_producer(cube.factors.front(), "Pow") : nullptr;
        if (power == nullptr || power->inputs[0] != x) {
            continue;
        }
        const auto exponent = edges.scalar(power->inputs[1]);
        if (exponent && is_near(*exponent, 3)) {
            nodes.push_back(power);
            return true;
        }
    }
    return false;
}

// log(1 + exp(x)): x, or an empty name.
std::string softplus_of(const Edges& edges, const std::string& value, std::vector<const Node*>& nodes) {
    if (const Node* softplus = edges.only_producer(value, "Softplus")) {
        nodes.push_back(softplus);
        return softplus->inputs.front();
    }
    const Node* log = edges.only_producer(value, "Log");
    const Node* add = log == nullptr ? nullptr : edges.only_producer(log->inputs.front(), "Add");
    const Node* exp = add == nullptr ? nullptr : edges.only_producer(without_constant(edges, *add, 1), "Exp");
    if (exp == nullptr) {
        return {};
    }
    nodes.insert(nodes.end(), {exp, add, log});
    return exp->inputs.front();
}

// What a gate of x is: the activation that x times the gate computes, with the constant that the product needs.
struct Gate {
    std::string_view activation;
    double constant = 0;
    std::vector<const Node*> nodes;
    bool is_tanh = false;
};

Gate error_gate(const Edges& edges, const Node& add, const std::string& x) {
    Gate gate;
    const std::string inner = without_constant(edges, add, 1);
    if (const Node* erf = edges.only_producer(inner, "Erf")) {
        gate.nodes = {erf, &add};
        if (scaled_value(edges, erf->inputs.front(), 1 / std::numbers::sqrt2, gate.nodes) == x) {
            gate.activation = "Gelu";
            gate.constant = 0.5;
        }
    } else if (const Node* tanh = edges.only_producer(inner, "Tanh")) {
        gate.nodes = {tanh, &add};
        const double scale = std::sqrt(2 / std::numbers::pi);
        const std::string polynomial = scaled_value(edges, tanh->inputs.front(), scale, gate.nodes);
        if (!polynomial.empty() && is_gelu_polynomial(edges, polynomial, x, gate.nodes)) {
            gate.activation = "Gelu";
            gate.constant = 0.5;
            gate.is_tanh = true;
        }
    }
    return gate;
}

Gate gate_of(const Edges& edges, const std::string& value, const std::string& x) {
    Gate gate;
    const Node* node = edges.reads(value) == 1 ? edges.producer(value) : nullptr;
    if (node == nullptr) {
        return gate;
    }
    if (node->op_type == "Sigmoid" && node->inputs.front() == x) {
        return {"Silu", 1, {node}, false};
    }
    if (node->op_type == "HardSigmoid" && node->inputs.front() == x && node->domain == own_domain) {
        return {"HardSwish", 1, {node}, false};
    }
    if (node->op_type == "Clip" && shifted_relu6(edges, value, gate.nodes) == x) {
        return {"HardSwish", 1.0 / 6, gate.nodes, false};
    }
    if (node->op_type == "Tanh") {
        gate.nodes = {node};
        if (softplus_of(edges, node->inputs.front(), gate.nodes) == x) {
            return {"Mish", 1, gate.nodes, false};
        }
    }
    return node->op_type == "Add" ? error_gate(edges, *node, x) : Gate{};
}

std::map<std::string, Attribute, std::less<>> gelu_attributes(bool is_tanh) {
    return {{"approximate", std::string(is_tanh ? "tanh" : "none")}};
}

void recognise_product(const Edges& edges, Node& root) {
    const Product product = product_of(edges, root);
    if (product.factors.size() == 1) {
        std::vector<const Node*> nodes = product.nodes;
        const std::string x = shifted_relu6(edges, product.factors.front(), nodes);
        if (!x.empty() && is_near(static_cast<float>(product.constant), 1.0 / 6)) {
            Edges::become(root, "HardSigmoid", {x}, {}, nodes);
        }
    }
    if (product.factors.size() != 2) {
        return;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string& x = product.factors[i];
        if (x.empty()) {
            continue;
        }
        Gate gate = gate_of(edges, product.factors[1 - i], x);
        if (gate.activation.empty() || !is_near(static_cast<float>(product.constant), gate.constant)) {
            continue;
        }
        gate.nodes.insert(gate.nodes.end(), product.nodes.begin(), product.nodes.end());
        const bool is_gelu = gate.activation == "Gelu";
        Edges::become(
            root, std::string(gate.activation), {x},
            is_gelu ? gelu_attributes(gate.is_tanh) : std::map<std::string, Attribute, std::less<>>{},
            gate.nodes);
        return;
    }
}

void rename_single(Node& node) {
    if (node.op_type == "HardSwish" || node.op_type == "Mish") {
        Edges::become(node, node.op_type, node.inputs, {}, {});
    } else if (node.op_type == "Gelu") {
        Edges::become(node, "Gelu", node.inputs, gelu_attributes(node.text("approximate", "none") == "tanh"),
                      {});
    } else if (node.op_type == "HardSigmoid" && is_near(node.number("alpha", 0.2F), 1.0 / 6) &&
               is_near(node.number("beta", 0.5F), 0.5)) {
        Edges::become(node, "HardSigmoid", node.inputs, {}, {});
    }
}

// A bound by a constant, and what Clip is with the bounds of an activation.
void recognise_clip(const Edges& edges, Node& node) {
    if ((node.op_type == "Min" || node.op_type == "Max") && node.inputs.size() == 2) {
        for (std::size_t i = 0; i < 2; ++i) {
            const auto bound = edges.scalar(node.inputs[i]);
            if (!bound || edges.dims(node.inputs[1 - i]) != edges.dims(node.outputs.front())) {
                continue;
            }
            node.attributes = {{node.op_type == "Max" ? "min" : "max", *bound}};
            node.inputs = {node.inputs[1 - i]};
            node.op_type = "Clip";
            break;
        }
    }
    if (node.op_type != "Clip" || node.number("min", -1) != 0) {
        return;
    }
    if (node.number("max") == nullptr) {
        node.op_type = "Relu";
        node.attributes.clear();
    } else if (node.number("max", 0) == 6) {
        Edges::become(node, "Relu6", node.inputs, {}, {});
    }
}

}  // namespace

void recognise_activations(Network& network) {
    const Edges edges(network);
    for (Node& node : network.nodes) {
        rename_single(node);
        if (node.domain.empty() && (node.op_type == "Mul" || node.op_type == "Div")) {
            recognise_product(edges, node);
        }
        if (node.domain.empty() && node.op_type == "Log") {
            std::vector<const Node*> nodes;
            const std::string x = softplus_of(edges, node.outputs.front(), nodes);
            if (!x.empty()) {
                nodes.pop_back();  // the root itself
                Edges::become(node, "Softplus", {x}, {}, nodes);
                node.domain.clear();
            }
        }
    }
    for (Node& node : network.nodes) {
        if (node.domain.empty()) {
            recognise_clip(edges, node);
        }
    }
}

}  // namespace hacscale::onnx::detail
