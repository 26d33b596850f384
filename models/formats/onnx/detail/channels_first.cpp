// Parts of a network that work with channels last (N H W C), between a Transpose from N C H W and one back, are written with channels
// first: LayerNorm over channels, linear layers as 1x1 convs, what is element by element. ConvNeXt's blocks are such parts.
#include <algorithm>
#include <array>
#include <utility>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

constexpr std::size_t image_rank = 4;
const Ints to_last = {0, 2, 3, 1};
const Ints to_first = {0, 3, 1, 2};

constexpr std::array elementwise = {
    "Abs",       "Cast",      "Celu", "Clip",     "Elu",      "Erf",  "Exp",        "Gelu", "HardSigmoid",
    "HardSwish", "LeakyRelu", "Log",  "Mish",     "Neg",      "Pow",  "Reciprocal", "Relu", "Relu6",
    "Selu",      "Sigmoid",   "Silu", "Softplus", "Softsign", "Sqrt", "Tanh"};
constexpr std::array broadcasting = {"Add", "Div", "Max", "Min", "Mul", "Sub"};

template <typename Names>
bool is_one_of(const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Ints moved_first(const Ints& dims) {
    return {dims[0], dims[3], dims[1], dims[2]};
}

// Where an axis of N H W C is in N C H W.
std::int64_t axis_first(std::int64_t axis) {
    constexpr std::array<std::int64_t, image_rank> places = {0, 2, 3, 1};
    return places[static_cast<std::size_t>(axis)];
}

class ChannelsFirst {
public:
    explicit ChannelsFirst(Network& network) : network_(network) {}

    void run() {
        std::vector<Node> nodes = std::move(network_.nodes);
        network_.nodes.clear();
        for (Node& node : nodes) {
            handle(std::move(node));
        }
        for (Node& node : network_.nodes) {
            for (std::string& input : node.inputs) {
                input = final_name(input);
            }
            for (std::string& output : node.outputs) {
                output = final_name(output);
            }
        }
    }

private:
    std::string final_name(const std::string& value) const {
        const auto found = renamed_.find(value);
        return found == renamed_.end() ? value : found->second;
    }

    // The value with channels first; an empty name where there is none.
    std::string first(const std::string& value) const {
        const auto found = first_.find(value);
        return found == first_.end() ? std::string{} : final_name(found->second);
    }

    void handle(Node node) {
        for (std::string& input : node.inputs) {
            input = final_name(input);
        }
        if (node.op_type == "Transpose" && node.domain.empty()) {
            handle_transpose(std::move(node));
        } else if (!converted(node)) {
            network_.nodes.push_back(std::move(node));
        }
    }

    void handle_transpose(Node node) {
        const Ints order = node.integers("perm", {});
        const std::string& output = node.outputs.front();
        if (order == to_last) {
            first_[output] = node.inputs.front();
        }
        const std::string source = order == to_first ? first(node.inputs.front()) : std::string{};
        if (!source.empty() && made_here_.erase(source) > 0) {
            renamed_[source] = output;
        } else if (!source.empty() && !network_.outputs.contains(output)) {
            renamed_[output] = source;
        } else {
            network_.nodes.push_back(std::move(node));
        }
    }

    bool converted(Node& node) {
        if (node.outputs.size() != 1 || node.inputs.empty()) {
            return false;
        }
        const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                     [this](const std::string& input) { return !first(input).empty(); });
        const ValueType* type = network_.values.type(node.outputs.front());
        if (!any || type == nullptr) {
            return false;
        }
        if (is_spatial_mean(node)) {
            return convert_mean(node);
        }
        if (type->dims.size() != image_rank) {
            return false;
        }
        Node result = node;
        if (!convert(result)) {
            return false;
        }
        const std::string last = node.outputs.front();
        const std::string made = unused_name(network_, last + "_channels_first");
        network_.values.set_type(made, {type->type, moved_first(type->dims)});
        result.outputs = {made};
        first_[last] = made;
        made_here_.insert(made);
        const std::string name = node.name;
        network_.nodes.push_back(std::move(result));
        // For readers that want channels last; removed where there are none.
        Node back;
        back.op_type = "Transpose";
        back.name = name + "_channels_last";
        back.inputs = {made};
        back.outputs = {last};
        back.attributes = {{"perm", to_last}};
        back.sources = {name};
        network_.nodes.push_back(std::move(back));
        return true;
    }

    bool convert(Node& node) {
        if (node.op_type == "MatMul") {
            return convert_matmul(node);
        }
        if (node.op_type == "LayerNormalization") {
            return convert_layer_norm(node);
        }
        if (node.op_type == "Concat" || node.op_type.starts_with("Reduce")) {
            return convert_axes(node);
        }
        const bool is_pow = node.op_type == "Pow" && network_.values.constant(node.inputs.back()) != nullptr;
        if (node.op_type == "Pow" ? is_pow
                                  : node.inputs.size() == 1 && is_one_of(elementwise, node.op_type)) {
            const std::string input = first(node.inputs.front());
            if (input.empty()) {
                return false;
            }
            node.inputs.front() = input;
            return !is_pow || network_.values.constant(node.inputs.back())->count() == 1;
        }
        return node.inputs.size() == 2 && is_one_of(broadcasting, node.op_type) && convert_operands(node);
    }

    // Each operand has channels first, or is a constant of one number or one for each channel.
    bool convert_operands(Node& node) {
        std::vector<std::string> operands;
        for (const std::string& input : node.inputs) {
            std::string operand = first(input);
            const Tensor* constant = network_.values.constant(input);
            if (operand.empty() && constant != nullptr) {
                const bool by_channel = !constant->dims.empty() &&
                                        constant->count() == constant->dims.back() &&
                                        constant->dims.size() <= image_rank;
                if (constant->count() != 1 && !by_channel) {
                    return false;
                }
                Tensor moved = *constant;
                moved.dims = constant->count() == 1 ? Ints{} : Ints{constant->count(), 1, 1};
                operand = add_derived(network_, input, "_channels_first", std::move(moved));
            }
            if (operand.empty()) {
                return false;
            }
            operands.push_back(std::move(operand));
        }
        node.inputs = std::move(operands);
        return true;
    }

    bool convert_matmul(Node& node) {
        const std::string input = first(node.inputs[0]);
        const Tensor* weights = network_.values.constant(node.inputs[1]);
        if (input.empty() || weights == nullptr || weights->dims.size() != 2) {
            return false;
        }
        Tensor moved = transposed(*weights);
        moved.dims.insert(moved.dims.end(), {1, 1});
        Edges::become(node, "Conv", {input, add_derived(network_, node.inputs[1], "_1x1", std::move(moved))},
                      {{"kernel_shape", Ints{1, 1}},
                       {"strides", Ints{1, 1}},
                       {"dilations", Ints{1, 1}},
                       {"pads", Ints(4, 0)},
                       {"group", std::int64_t{1}}},
                      {});
        node.domain.clear();
        return true;
    }

    bool convert_layer_norm(Node& node) {
        const std::string input = first(node.inputs[0]);
        const std::int64_t channels = network_.values.type(node.inputs[0])->dims.back();
        if (input.empty() || node.integer("axis", 0) != 3) {
            return false;
        }
        std::vector<std::string> inputs = {input};
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            const ValueType* type = network_.values.type(node.inputs[i]);
            if (type == nullptr || type->dims != Ints{channels}) {
                return false;
            }
            inputs.push_back(node.inputs[i]);
        }
        Edges::become(node, "LayerNormChannels", std::move(inputs),
                      {{"epsilon", node.number("epsilon", 1e-5F)}}, {});
        return true;
    }

    bool convert_axes(Node& node) {
        for (std::string& input : node.inputs) {
            input = first(input);
            if (input.empty()) {
                return false;
            }
        }
        if (node.op_type == "Concat") {
            node.attributes["axis"] = axis_first(node.integer("axis", 0));
            return true;
        }
        Ints axes = node.integers("axes", {});
        for (std::int64_t& axis : axes) {
            axis = axis_first(axis);
        }
        std::sort(axes.begin(), axes.end());
        node.attributes["axes"] = axes;
        return node.integer("keepdims", 1) != 0;
    }

    // A mean over the height and width that leaves N C, whatever the layout.
    static bool is_spatial_mean(const Node& node) {
        return node.op_type == "ReduceMean" && node.integers("axes", {}) == Ints{1, 2} &&
               node.integer("keepdims", 1) == 0;
    }

    bool convert_mean(Node& node) {
        const std::string input = first(node.inputs.front());
        if (input.empty()) {
            return false;
        }
        node.inputs.front() = input;
        node.attributes["axes"] = Ints{2, 3};
        network_.nodes.push_back(std::move(node));
        return true;
    }

    Network& network_;
    std::unordered_map<std::string, std::string> first_;    // by value with channels last
    std::unordered_map<std::string, std::string> renamed_;  // to names of the file
    std::unordered_set<std::string> made_here_;             // values with names that no file has
};

}  // namespace

void move_channels_first(Network& network) {
    ChannelsFirst(network).run();
}

}  // namespace hacscale::onnx::detail
