// Normalization that exporters write in several nodes: LayerNorm (Ba et al. 2016) over the last axes or over channels, and GroupNorm
// (Wu and He 2018) as an InstanceNormalization of reshaped values, norms that take no mean off (Zhang and Sennrich 2019, Singh and
// Krishnan 2020, Liu et al. 2020), and division by the 2-norm, which is one of those.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

Ints axes_from(std::size_t first, std::size_t rank) {
    Ints axes(rank - first);
    std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(first));
    return axes;
}

const Node* mean_of(const Edges& edges, const std::string& value) {
    const Node* mean = edges.producer(value);
    if (mean != nullptr && mean->op_type == "GlobalAveragePool") return mean;
    const bool fits = mean != nullptr && mean->op_type == "ReduceMean" && mean->integer("keepdims", 1) != 0;
    return fits ? mean : nullptr;
}

Ints axes_of_mean(const Edges& edges, const Node& mean) {
    if (mean.op_type == "GlobalAveragePool") return axes_from(2, edges.dims(mean.inputs.front()).size());
    return mean.integers("axes", {});
}

// x - mean(x): its Sub, where `value` is that.
const Node* centered(const Edges& edges, const std::string& value) {
    const Node* sub = edges.producer(value);
    if (sub == nullptr || sub->op_type != "Sub") {
        return nullptr;
    }
    const Node* mean = mean_of(edges, sub->inputs[1]);
    return mean != nullptr && mean->inputs.front() == sub->inputs[0] ? sub : nullptr;
}

// The value whose square `value` is, or an empty name.
std::string squared(const Edges& edges, const std::string& value) {
    const Node* square = edges.producer(value);
    if (square == nullptr) {
        return {};
    }
    if (square->op_type == "Mul" && square->inputs[0] == square->inputs[1]) {
        return square->inputs[0];
    }
    if (square->op_type != "Pow") {
        return {};
    }
    const auto exponent = edges.scalar(square->inputs[1]);
    return exponent && *exponent == 2 ? square->inputs[0] : std::string{};
}

// factor sqrt(m + epsilon), m the mean of x^2 over some axes or the variance there.
struct Root {
    std::string x;
    Ints axes;
    bool of_variance = false;
    float epsilon = 0;
    float factor = 1;
    std::int64_t groups = 0;  // of channels, where m is over a group's channels and all pixels; otherwise 0
    std::vector<const Node*> nodes;
};

// Makes `value` what a constant is multiplied with, and returns the constant: exporters write the variance of a sample of N elements as
// mean N / (N - 1).
float take_factors(const Edges& edges, std::string& value, std::vector<const Node*>& nodes) {
    float factor = 1;
    for (const Node* node = edges.producer(value); node != nullptr; node = edges.producer(value)) {
        if (node->op_type != "Mul" && node->op_type != "Div") break;
        const auto number = edges.scalar(node->inputs[1]);
        if (!number || !(*number > 0)) break;
        factor *= node->op_type == "Mul" ? *number : 1 / *number;
        nodes.push_back(node);
        value = node->inputs[0];
    }
    return factor;
}

// sqrt(factor m + epsilon), where `root` is that.
std::optional<Root> root_of_moment(const Edges& edges, const Node* root) {
    const Node* add =
        root == nullptr || root->op_type != "Sqrt" ? nullptr : edges.producer(root->inputs.front());
    if (add == nullptr || add->op_type != "Add") {
        return std::nullopt;
    }
    const bool is_first = edges.scalar(add->inputs[0]).has_value();
    const auto epsilon = edges.scalar(add->inputs[is_first ? 0 : 1]);
    if (!epsilon) {
        return std::nullopt;
    }
    Root result;
    std::string moment = add->inputs[is_first ? 1 : 0];
    const float factor = take_factors(edges, moment, result.nodes);
    const Node* mean = mean_of(edges, moment);
    const std::string square = mean == nullptr ? std::string{} : mean->inputs.front();
    const std::string x = squared(edges, square);
    if (x.empty()) {
        return std::nullopt;
    }
    result.x = x;
    result.axes = axes_of_mean(edges, *mean);
    result.epsilon = *epsilon / factor;
    result.factor = std::sqrt(factor);
    result.nodes.insert(result.nodes.end(), {edges.producer(square), mean, add, root});
    const Node* sub = centered(edges, x);
    const Node* first_mean = sub == nullptr ? nullptr : edges.producer(sub->inputs[1]);
    if (first_mean != nullptr && axes_of_mean(edges, *first_mean) == result.axes) {
        result.of_variance = true;
        result.x = sub->inputs[0];
        result.nodes.insert(result.nodes.end(), {first_mean, sub});
    }
    return result;
}

// The 2-norm along one axis, which is at least a small limit: sqrt(n) sqrt(mean of x^2 + limit^2 / n) where it is above.
std::optional<Root> limited_norm(const Edges& edges, const Node* limit) {
    const Node* norm =
        limit == nullptr || limit->op_type != "Clip" ? nullptr : edges.producer(limit->inputs.front());
    const float* const least = norm == nullptr ? nullptr : limit->number("min");
    const bool fits = least != nullptr && *least > 0 && limit->number("max") == nullptr &&
                      norm->op_type == "ReduceL2" && norm->integer("keepdims", 1) != 0 &&
                      norm->integers("axes", {}).size() == 1;
    if (!fits) {
        return std::nullopt;
    }
    const Ints axes = norm->integers("axes", {});
    const auto count =
        static_cast<float>(edges.dims(norm->inputs.front())[static_cast<std::size_t>(axes.front())]);
    return Root{norm->inputs.front(), axes, false,        *least * *least / count,
                std::sqrt(count),     0,    {limit, norm}};
}

// The groups of channels that a value's sizes are, with all that follows in one or more axes; 0 where they are none.
std::int64_t groups_of(const Ints& grouped, const Ints& dims) {
    const bool fits = dims.size() >= 2 && grouped.size() >= 3 && grouped[0] == dims[0] && grouped[1] > 0 &&
                      dims[1] % grouped[1] == 0;
    return fits ? grouped[1] : 0;
}

// What `value` is, as a divisor: a root, also one that is repeated for the elements it is of.
std::optional<Root> divisor_of(const Edges& edges, const std::string& value) {
    const Node* node = edges.producer(value);
    std::vector<const Node*> spread;
    const bool is_viewed = node != nullptr && node->op_type == "Reshape";
    for (const std::string_view op_type : {"Reshape", "Expand"}) {
        if (node != nullptr && node->op_type == op_type) {
            spread.push_back(node);
            node = edges.producer(node->inputs.front());
        }
    }
    auto root = root_of_moment(edges, node);
    if (!root) root = limited_norm(edges, node);
    if (!root) {
        return std::nullopt;
    }
    root->nodes.insert(root->nodes.end(), spread.begin(), spread.end());
    if (is_viewed) {
        const Node* view = edges.producer(root->x);
        if (view == nullptr || view->op_type != "Reshape" ||
            edges.dims(view->inputs.front()) != edges.dims(value)) {
            return std::nullopt;
        }
        const Ints& grouped = edges.dims(root->x);
        root->groups = groups_of(grouped, edges.dims(value));
        if (root->groups == 0 || root->axes != axes_from(2, grouped.size())) {
            return std::nullopt;
        }
        root->nodes.push_back(view);
        root->x = view->inputs.front();
        return root;
    }
    const Ints& dims = edges.dims(root->x);
    if (root->axes.size() > 1 && dims.size() > 2 && root->axes == axes_from(2, dims.size())) {
        root->groups = dims[1];
    }
    return root;
}

// The value of which the node computes 1 / x; empty for other nodes.
std::string inverted(const Edges& edges, const Node* node) {
    if (node == nullptr || node->inputs.empty()) return {};
    if (node->op_type == "Reciprocal") return node->inputs.front();
    const auto one = node->op_type == "Div" ? edges.scalar(node->inputs.front()) : std::nullopt;
    return one == 1.0F ? node->inputs[1] : std::string{};
}

// A quotient by a root.
struct Quotient {
    std::string numerator;
    Root root;
};

std::optional<Quotient> quotient_of(const Edges& edges, const Node& node) {
    if (node.op_type == "Div") {
        auto root = divisor_of(edges, node.inputs[1]);
        return root ? std::optional(Quotient{node.inputs[0], *std::move(root)}) : std::nullopt;
    }
    if (node.op_type != "Mul") {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const Node* const factor = edges.producer(node.inputs[1 - i]);
        const bool is_spread = factor != nullptr && factor->op_type == "Expand";
        const Node* const inverse = is_spread ? edges.producer(factor->inputs.front()) : factor;
        const std::string divisor = inverted(edges, inverse);
        auto root = divisor.empty() ? std::nullopt : divisor_of(edges, divisor);
        if (root) {
            root->nodes.push_back(inverse);
            if (is_spread) root->nodes.push_back(factor);
            return Quotient{node.inputs[i], *std::move(root)};
        }
    }
    return std::nullopt;
}

// A constant that is one number for each element of `dims` (the normalized axes, of which the first is `axis` of `rank`), in that shape.
std::optional<Tensor> affine_constant(const Tensor* constant, const Ints& dims, std::size_t axis,
                                      std::size_t rank) {
    if (constant == nullptr || constant->dims.size() > rank) {
        return std::nullopt;
    }
    Ints expected(rank, 1);
    std::copy(dims.begin(), dims.end(), expected.begin() + static_cast<std::ptrdiff_t>(axis));
    Ints own(rank - constant->dims.size(), 1);
    own.insert(own.end(), constant->dims.begin(), constant->dims.end());
    if (own != expected) {
        return std::nullopt;
    }
    Tensor result = *constant;
    result.dims = dims;
    return result;
}

// What follows a normalization: a scale, then a bias, each a constant. The last node of them is where the result is written.
struct Affine {
    Node* root = nullptr;
    std::optional<Tensor> scale, bias;
    std::vector<const Node*> nodes;  // without the root
};

Affine affine_after(const Edges& edges, Node& last, const Ints& dims, std::size_t axis, std::size_t rank) {
    Affine affine{&last, {}, {}, {}};
    for (const std::string_view op_type : {"Mul", "Add"}) {
        Node* next = edges.only_reader(affine.root->outputs.front());
        if (next == nullptr || next->op_type != op_type || !next->domain.empty()) {
            continue;
        }
        const std::size_t at = next->inputs[0] == affine.root->outputs.front() ? 1 : 0;
        auto constant = affine_constant(edges.constant(next->inputs[at]), dims, axis, rank);
        if (!constant) {
            break;
        }
        (op_type == "Mul" ? affine.scale : affine.bias) = std::move(constant);
        affine.nodes.push_back(affine.root);
        affine.root = next;
    }
    return affine;
}

Tensor filled(const Ints& dims, float value) {
    return tensor_of({}, dims, std::vector<float>(static_cast<std::size_t>(count_of(dims)), value));
}

std::vector<std::string> affine_inputs(Network& network, const std::string& x, const Affine& affine,
                                       const Ints& dims, DataType type) {
    std::vector<std::string> inputs = {x};
    inputs.push_back(affine.scale ? add_derived(network, affine.scale->name, "_list", *affine.scale)
                                  : add_constant(network, affine.root->outputs.front() + "_scale",
                                                 tensor_as(filled(dims, 1), type)));
    if (affine.bias) {
        inputs.push_back(add_derived(network, affine.bias->name, "_list", *affine.bias));
    }
    return inputs;
}

// (x - mean) / sqrt(variance + epsilon), over the last axes or over the channels.
void recognise_layer_norm(Edges& edges, Node& node, Root& root) {
    const Ints dims = edges.dims(root.x);
    const std::size_t rank = dims.size();
    const auto axis = static_cast<std::size_t>(root.axes.front());
    const bool is_last = root.axes == axes_from(axis, rank);
    if (!is_last && root.axes != Ints{1}) {
        return;
    }
    const Ints normalized(dims.begin() + static_cast<std::ptrdiff_t>(axis),
                          dims.begin() + static_cast<std::ptrdiff_t>(axis + root.axes.size()));
    const Affine affine = affine_after(edges, node, normalized, axis, rank);
    root.nodes.insert(root.nodes.end(), affine.nodes.begin(), affine.nodes.end());
    auto inputs =
        affine_inputs(edges.network, root.x, affine, normalized, edges.network.values.type(root.x)->type);
    Edges::become(*affine.root, is_last ? "LayerNormalization" : "LayerNormChannels", std::move(inputs),
                  {{"epsilon", root.epsilon}}, root.nodes);
    if (is_last) {
        affine.root->domain.clear();
        affine.root->attributes["axis"] = static_cast<std::int64_t>(axis);
    }
}

// Makes `node`, which is x / root, the norm of x, with the scale and the bias that follow where it `has_affine`.
void become_uncentered(Edges& edges, Node& node, Root& root, bool has_affine) {
    const Ints dims = edges.dims(root.x);
    const std::size_t axis = root.groups > 0 ? 1 : static_cast<std::size_t>(root.axes.front());
    const Ints normalized{dims[axis]};
    const DataType type = edges.network.values.type(root.x)->type;
    Affine affine =
        has_affine ? affine_after(edges, node, normalized, axis, dims.size()) : Affine{&node, {}, {}, {}};
    if (root.factor != 1) {
        std::vector<float> factors = (affine.scale ? *affine.scale : filled(normalized, 1)).floats();
        for (float& factor : factors) {
            factor /= root.factor;
        }
        const std::string name = affine.scale ? affine.scale->name : node.outputs.front() + "_scale";
        affine.scale = tensor_as(tensor_of(name, normalized, factors), type);
    }
    root.nodes.insert(root.nodes.end(), affine.nodes.begin(), affine.nodes.end());
    auto inputs = affine_inputs(edges.network, root.x, affine, normalized, type);
    const std::int64_t of_variance = root.of_variance ? 1 : 0;
    if (root.groups > 0) {
        Edges::become(*affine.root, "UncenteredGroupNorm", std::move(inputs),
                      {{"num_groups", root.groups}, {"epsilon", root.epsilon}, {"of_variance", of_variance}},
                      root.nodes);
    } else {
        Edges::become(*affine.root, "UncenteredNorm", std::move(inputs),
                      {{"axis", root.axes.front()}, {"epsilon", root.epsilon}, {"of_variance", of_variance}},
                      root.nodes);
    }
}

void recognise_quotient(Edges& edges, Node& node) {
    auto quotient = quotient_of(edges, node);
    if (!quotient || quotient->root.axes.empty()) {
        return;
    }
    auto& [numerator, root] = *quotient;
    const Node* sub = root.of_variance && root.groups == 0 ? centered(edges, numerator) : nullptr;
    if (sub != nullptr && sub->inputs[0] == root.x && root.factor == 1) {
        return recognise_layer_norm(edges, node, root);
    }
    if (root.groups == 0 && root.axes.size() > 1) {
        return;
    }
    if (numerator == root.x) {
        return become_uncentered(edges, node, root, /*has_affine=*/true);
    }
    // (x y) / root is (x / root) y.
    Node* product = edges.only_producer(numerator, "Mul");
    if (product == nullptr || !product->domain.empty() || edges.dims(numerator) != edges.dims(root.x)) {
        return;
    }
    const bool is_first = product->inputs[0] == root.x;
    if (!is_first && product->inputs[1] != root.x) {
        return;
    }
    const std::string other = product->inputs[is_first ? 1 : 0];
    node.op_type = "Mul";
    node.inputs = {numerator, other};
    become_uncentered(edges, *product, root, /*has_affine=*/false);
}

bool is_filled_with(const Tensor* tensor, float value) {
    if (tensor == nullptr) {
        return false;
    }
    const std::vector<float> numbers = tensor->floats();
    return std::all_of(numbers.begin(), numbers.end(), [value](float each) { return each == value; });
}

void recognise_group_norm(Edges& edges, Node& node) {
    const Node* before = edges.only_producer(node.inputs.front(), "Reshape");
    Node* after = edges.only_reader(node.outputs.front());
    if (before == nullptr || after == nullptr || after->op_type != "Reshape") {
        return;
    }
    const std::string x = before->inputs.front();
    const Ints dims = edges.dims(x);
    const Ints grouped = edges.dims(node.inputs.front());
    if (groups_of(grouped, dims) == 0 || edges.dims(after->outputs.front()) != dims ||
        !is_filled_with(edges.constant(node.inputs[1]), 1) ||
        !is_filled_with(edges.constant(node.inputs[2]), 0)) {
        return;
    }
    const Affine affine = affine_after(edges, *after, {dims[1]}, 1, dims.size());
    std::vector<const Node*> nodes = {before, &node};
    nodes.insert(nodes.end(), affine.nodes.begin(), affine.nodes.end());
    auto inputs = affine_inputs(edges.network, x, affine, {dims[1]}, edges.network.values.type(x)->type);
    Edges::become(*affine.root, "GroupNorm", std::move(inputs),
                  {{"num_groups", grouped[1]}, {"epsilon", node.number("epsilon", 1e-5F)}}, nodes);
}

// ONNX's own operator; its scale and bias of one number for each group are repeated for the channels.
void rename_group_norm(Edges& edges, Node& node) {
    const std::int64_t channels = edges.dims(node.inputs.front())[1];
    std::vector<std::string> inputs = {node.inputs.front()};
    for (std::size_t i = 1; i < 3; ++i) {
        const Tensor* constant = edges.constant(node.inputs[i]);
        if (constant == nullptr || constant->dims.size() != 1 || constant->count() == 0 ||
            channels % constant->count() != 0) {
            return;
        }
        const std::int64_t each = channels / constant->count();
        const Tensor repeated = picked(constant->type, {channels}, [&](std::int64_t channel) {
            return element(*constant, channel / each);
        });
        inputs.push_back(add_derived(edges.network, node.inputs[i], "_by_channel", repeated));
    }
    const auto attributes = node.attributes;
    Edges::become(node, "GroupNorm", std::move(inputs), attributes, {});
}

}  // namespace

void recognise_normalization(Network& network) {
    Edges edges(network);
    for (Node& node : network.nodes) {
        if (!node.domain.empty()) {
            continue;
        }
        if (node.op_type == "InstanceNormalization") {
            recognise_group_norm(edges, node);
        }
        if (node.op_type == "GroupNormalization") {
            rename_group_norm(edges, node);
        }
        if (node.op_type == "Div" || node.op_type == "Mul") {
            recognise_quotient(edges, node);
        }
    }
}

}  // namespace hacscale::onnx::detail
