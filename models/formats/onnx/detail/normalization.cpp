// Normalization that exporters write in several nodes: LayerNorm (Ba et al. 2016) over the last axes or over channels, and GroupNorm
// (Wu and He 2018) as an InstanceNormalization of reshaped values, norms without a mean (Zhang and Sennrich 2019), and division by the
// 2-norm, which is one of those.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

// (x - mean(x)) / sqrt(var(x) + epsilon) over some axes.
struct Normalized {
    std::string x;
    Ints axes;
    float epsilon = 0;
    std::vector<const Node*> nodes;
};

const Node* mean_of(const Edges& edges, const std::string& value) {
    const Node* mean = edges.producer(value);
    const bool fits = mean != nullptr && mean->op_type == "ReduceMean" && mean->integer("keepdims", 1) != 0;
    return fits ? mean : nullptr;
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

// sqrt(mean + epsilon).
struct RootOfMean {
    const Node* mean = nullptr;
    float epsilon = 0;
    std::vector<const Node*> nodes;
};

// Where `root` is one.
std::optional<RootOfMean> root_of_mean(const Edges& edges, const Node* root) {
    const Node* add =
        root == nullptr || root->op_type != "Sqrt" ? nullptr : edges.producer(root->inputs.front());
    if (add == nullptr || add->op_type != "Add") {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const auto epsilon = edges.scalar(add->inputs[i]);
        const Node* mean = epsilon ? mean_of(edges, add->inputs[1 - i]) : nullptr;
        if (mean != nullptr) {
            return RootOfMean{mean, *epsilon, {mean, add, root}};
        }
    }
    return std::nullopt;
}

// sqrt(mean(square) + epsilon), where `value` is that.
std::optional<Normalized> deviation(const Edges& edges, const std::string& value) {
    const auto root = root_of_mean(edges, edges.producer(value));
    if (!root) {
        return std::nullopt;
    }
    const std::string& square = root->mean->inputs.front();
    const Node* sub = centered(edges, squared(edges, square));
    if (sub == nullptr) {
        return std::nullopt;
    }
    const Node* first_mean = edges.producer(sub->inputs[1]);
    const Ints axes = root->mean->integers("axes", {});
    if (first_mean->integers("axes", {}) != axes) {
        return std::nullopt;
    }
    Normalized result{sub->inputs[0], axes, root->epsilon, {first_mean, sub, edges.producer(square)}};
    result.nodes.insert(result.nodes.end(), root->nodes.begin(), root->nodes.end());
    return result;
}

std::optional<Normalized> normalized_by(const Edges& edges, const Node& node) {
    if (node.op_type == "Div") {
        const Node* sub = centered(edges, node.inputs[0]);
        auto result = sub == nullptr ? std::nullopt : deviation(edges, node.inputs[1]);
        return result && result->x == sub->inputs[0] ? result : std::nullopt;
    }
    if (node.op_type != "Mul") {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const Node* sub = centered(edges, node.inputs[i]);
        const Node* inverse = edges.producer(node.inputs[1 - i]);
        if (sub == nullptr || inverse == nullptr || inverse->op_type != "Reciprocal") {
            continue;
        }
        auto result = deviation(edges, inverse->inputs.front());
        if (!result || result->x != sub->inputs[0]) {
            continue;
        }
        result->nodes.push_back(inverse);
        return result;
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

bool recognise_layer_norm(Edges& edges, Node& node) {
    auto found = normalized_by(edges, node);
    if (!found || found->axes.empty()) {
        return false;
    }
    const Ints dims = edges.dims(found->x);
    const std::size_t rank = dims.size();
    const auto axis = static_cast<std::size_t>(found->axes.front());
    const bool is_last = axis + found->axes.size() == rank;
    const bool is_channels = found->axes == Ints{1};
    if (!is_last && !is_channels) {
        return false;
    }
    const Ints normalized(dims.begin() + static_cast<std::ptrdiff_t>(axis),
                          dims.begin() + static_cast<std::ptrdiff_t>(axis + found->axes.size()));
    const Affine affine = affine_after(edges, node, normalized, axis, rank);
    found->nodes.insert(found->nodes.end(), affine.nodes.begin(), affine.nodes.end());
    auto inputs =
        affine_inputs(edges.network, found->x, affine, normalized, edges.network.values.type(found->x)->type);
    Edges::become(*affine.root, is_last ? "LayerNormalization" : "LayerNormChannels", std::move(inputs),
                  {{"epsilon", found->epsilon}}, found->nodes);
    if (is_last) {
        affine.root->domain.clear();
        affine.root->attributes["axis"] = static_cast<std::int64_t>(axis);
    }
    return true;
}

// x / sqrt(mean of x^2 + epsilon) along one axis, times a factor.
struct RootMeanSquare {
    std::string x;
    std::int64_t axis = 0;
    float epsilon = 0;
    float factor = 1;
    std::vector<const Node*> nodes;
};

std::optional<RootMeanSquare> root_mean_square(const Edges& edges, const Node* node) {
    const auto root = root_of_mean(edges, node);
    const Ints axes = root ? root->mean->integers("axes", {}) : Ints{};
    if (axes.size() != 1) {
        return std::nullopt;
    }
    const std::string& square = root->mean->inputs.front();
    RootMeanSquare result{squared(edges, square), axes.front(), root->epsilon, 1, root->nodes};
    if (result.x.empty()) {
        return std::nullopt;
    }
    result.nodes.push_back(edges.producer(square));
    return result;
}

// The 2-norm along one axis, which is at least a small limit: sqrt(n) sqrt(mean of x^2 + limit^2 / n) where it is above.
std::optional<RootMeanSquare> limited_norm(const Edges& edges, const Node* limit) {
    std::vector<const Node*> nodes;
    if (limit != nullptr && limit->op_type == "Expand") {
        nodes.push_back(limit);
        limit = edges.producer(limit->inputs.front());
    }
    const Node* norm =
        limit == nullptr || limit->op_type != "Clip" ? nullptr : edges.producer(limit->inputs.front());
    const float* const least = norm == nullptr ? nullptr : limit->number("min");
    const bool fits = least != nullptr && *least > 0 && limit->number("max") == nullptr &&
                      norm->op_type == "ReduceL2" && norm->integer("keepdims", 1) != 0 &&
                      norm->integers("axes", {}).size() == 1;
    if (!fits) {
        return std::nullopt;
    }
    const std::int64_t axis = norm->integers("axes", {}).front();
    const auto count = static_cast<float>(edges.dims(norm->inputs.front())[static_cast<std::size_t>(axis)]);
    nodes.insert(nodes.end(), {limit, norm});
    return RootMeanSquare{norm->inputs.front(), axis, *least * *least / count, 1 / std::sqrt(count), nodes};
}

// What the node computes 1 / x of; null for other nodes.
const Node* inverted(const Edges& edges, const Node* node) {
    if (node == nullptr || node->inputs.empty()) return nullptr;
    if (node->op_type == "Reciprocal") return edges.producer(node->inputs.front());
    const auto one = node->op_type == "Div" ? edges.scalar(node->inputs.front()) : std::nullopt;
    return one == 1.0F ? edges.producer(node->inputs[1]) : nullptr;
}

void recognise_root_mean_square(Edges& edges, Node& node) {
    std::optional<RootMeanSquare> found;
    for (std::size_t i = 0; i < 2 && !found; ++i) {
        const Node* divisor = edges.producer(node.inputs[1 - i]);
        if (node.op_type == "Mul") {
            found = root_mean_square(edges, inverted(edges, divisor));
            if (found) {
                found->nodes.push_back(divisor);
            }
        } else if (i == 0) {
            found = root_mean_square(edges, divisor);
            if (!found) {
                found = limited_norm(edges, divisor);
            }
        }
        if (found && found->x != node.inputs[i]) {
            found.reset();
        }
    }
    if (!found) {
        return;
    }
    const Ints dims = edges.dims(found->x);
    const auto axis = static_cast<std::size_t>(found->axis);
    const Ints normalized{dims[axis]};
    Affine affine = affine_after(edges, node, normalized, axis, dims.size());
    const DataType type = edges.network.values.type(found->x)->type;
    if (found->factor != 1) {
        std::vector<float> factors = (affine.scale ? *affine.scale : filled(normalized, 1)).floats();
        for (float& factor : factors) {
            factor *= found->factor;
        }
        const std::string name = affine.scale ? affine.scale->name : node.outputs.front() + "_scale";
        affine.scale = tensor_as(tensor_of(name, normalized, factors), type);
    }
    found->nodes.insert(found->nodes.end(), affine.nodes.begin(), affine.nodes.end());
    auto inputs = affine_inputs(edges.network, found->x, affine, normalized, type);
    Edges::become(*affine.root, "RootMeanSquareNorm", std::move(inputs),
                  {{"axis", found->axis}, {"epsilon", found->epsilon}}, found->nodes);
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
    if (dims.size() < 2 || edges.dims(after->outputs.front()) != dims || grouped[0] != dims[0] ||
        grouped[1] == 0 || dims[1] % grouped[1] != 0 || !is_filled_with(edges.constant(node.inputs[1]), 1) ||
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
            if (!recognise_layer_norm(edges, node)) {
                recognise_root_mean_square(edges, node);
            }
        }
    }
}

}  // namespace hacscale::onnx::detail
