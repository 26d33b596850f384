#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/network.hpp"
#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx {

namespace detail {

const Op* find_op(std::string_view name) {
    static const auto table = [] {
        std::unordered_map<std::string_view, Op> result;
        for (const auto& family : {elementwise_ops(), shape_ops(), constant_ops(), index_ops(), window_ops(),
                                   reduction_ops(), resize_ops(), product_ops()}) {
            for (const Op& op : family) {
                result.emplace(op.name, op);
            }
        }
        return result;
    }();
    const auto found = table.find(name);
    return found == table.end() ? nullptr : &found->second;
}

}  // namespace detail

namespace {

using detail::Ints;
using detail::Network;
using detail::readable;
using detail::Step;
using detail::ValueType;

// Goes through the nodes once, in running order: brings each into its form, infers its outputs, and folds it or leaves it out
// where it computes a constant or changes nothing.
class Evaluation {
public:
    Evaluation(Model& model, Network& network) : model_(model), network_(network) {
        std::int64_t weight_bytes = 0;
        for (Tensor& tensor : model.graph.initializers) {
            weight_bytes += static_cast<std::int64_t>(tensor.data.size());
            const std::string name = tensor.name;
            initializers_.insert(name);
            network.values.set_constant(name, std::move(tensor));
        }
        model.graph.initializers.clear();
        constexpr std::int64_t some_megabytes = 16 << 20;
        network.values.new_bytes_left = some_megabytes + 8 * weight_bytes;
        network.values.moved_bytes_left = 4 * some_megabytes + 64 * weight_bytes;
        for (const ValueInfo& input : model.graph.inputs) {
            const auto sizes = input.sizes();
            if (!sizes || input.type == DataType::undefined) {
                throw InputError("the input \"" + readable(input.name) + "\" has no shape of numbers");
            }
            network.values.set_type(input.name, {input.type, *sizes});
        }
        for (const ValueInfo& output : model.graph.outputs) {
            network.outputs.insert(output.name);
        }
    }

    void run() {
        for (const Node& node : model_.graph.nodes) {
            for (const std::string& input : node.inputs) {
                ++reads_left_[input];
            }
        }
        for (Node& node : model_.graph.nodes) {
            handle(std::move(node));
        }
        model_.graph.nodes.clear();
        restore_outputs();
    }

private:
    void handle(Node node) {
        for (std::string& input : node.inputs) {
            const auto alias = aliases_.find(input);
            if (alias != aliases_.end()) {
                input = alias->second;
            }
        }
        while (!node.inputs.empty() && node.inputs.back().empty()) {
            node.inputs.pop_back();
        }
        while (!node.outputs.empty() && node.outputs.back().empty()) {
            node.outputs.pop_back();
        }
        if (node.outputs.empty()) {
            return;
        }
        Step step(node, network_.values, model_.opset());
        const detail::Op* op = detail::find_op(node.op_type);
        if (op == nullptr) {
            step.refuse("the operator " + readable(node.op_type) + " is not supported");
        }
        check_inputs(step, *op);
        if (op->form != nullptr) {
            op->form(step);
            op = detail::find_op(node.op_type);
        }
        if (const auto shape = detail::shape_result(step)) {
            const Ints dims =
                node.op_type == "Size" ? Ints{} : Ints{static_cast<std::int64_t>(shape->size())};
            network_.values.set_constant(node.outputs.front(), tensor_of({}, dims, *shape));
            return;
        }
        const std::vector<ValueType> types = op->infer(step);
        if (types.size() < node.outputs.size()) {
            step.refuse("it has " + std::to_string(node.outputs.size()) + " outputs");
        }
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            set_type(step, node.outputs[i], types[i]);
        }
        if (fold(step, *op, types)) {
            return;
        }
        if (const std::string* same = unchanged_input(step, types)) {
            aliases_[node.outputs.front()] = *same;
        } else {
            network_.nodes.push_back(std::move(node));
        }
    }

    static void check_inputs(const Step& step, const detail::Op& op) {
        const std::size_t count = step.node.inputs.size();
        if (count < op.min_inputs || count > op.max_inputs) {
            step.refuse("it has " + std::to_string(count) + " inputs, expected " +
                        std::to_string(op.min_inputs) + " to " + std::to_string(op.max_inputs));
        }
        const std::size_t needed = op.max_inputs == detail::any_number ? count : op.min_inputs;
        for (std::size_t i = 0; i < needed; ++i) {
            (void)step.type(i);
        }
    }

    void set_type(const Step& step, const std::string& value, const ValueType& type) {
        if (value.empty()) {
            return;
        }
        try {
            network_.values.set_type(value, type);
        } catch (const InputError& error) {
            step.refuse(error.what());
        }
    }

    bool fold(const Step& step, const detail::Op& op, const std::vector<ValueType>& types) {
        if (op.fold == nullptr) {
            return false;
        }
        for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
            if (step.has(i) && step.constant(i) == nullptr) {
                return false;
            }
        }
        const auto bytes_in = [](const ValueType& type) {
            return detail::count_of(type.dims) * static_cast<std::int64_t>(bytes_of(type.type));
        };
        std::int64_t new_bytes = 0;
        for (std::size_t i = 0; i < step.node.outputs.size(); ++i) {
            new_bytes += bytes_in(types[i]);
        }
        std::int64_t moved_bytes = new_bytes;
        for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
            if (step.has(i)) {
                moved_bytes += bytes_in(step.type(i));
            }
        }
        if (!network_.values.take(new_bytes, moved_bytes)) {
            step.refuse("it computes constants of more memory than the weights of the model suggest");
        }
        std::vector<Tensor> results = op.fold(step);
        if (results.size() < step.node.outputs.size()) {
            return false;
        }
        for (std::size_t i = 0; i < step.node.outputs.size(); ++i) {
            if (!step.node.outputs[i].empty()) {
                network_.values.set_constant(step.node.outputs[i], std::move(results[i]));
            }
        }
        note_moved(step);
        for (const std::string& input : step.node.inputs) {
            forget_after_last_read(input);
        }
        return true;
    }

    // A weight in another shape or order is still that weight.
    void note_moved(const Step& step) {
        if (step.node.op_type != "Reshape" && step.node.op_type != "Transpose") return;
        const std::string& from = step.node.inputs.front();
        const auto known = network_.moved_from.find(from);
        if (known != network_.moved_from.end()) {
            network_.moved_from[step.node.outputs.front()] = std::string(known->second);
        } else if (initializers_.contains(from)) {
            network_.moved_from[step.node.outputs.front()] = from;
        }
    }

    // Weights that others are computed from would take their memory again and again.
    void forget_after_last_read(const std::string& value) {
        if (--reads_left_[value] == 0 && !network_.outputs.contains(value)) {
            network_.values.constants.erase(value);
        }
    }

    // The input that the only output equals, or null.
    static const std::string* unchanged_input(const Step& step, const std::vector<ValueType>& types) {
        if (step.node.outputs.size() != 1) {
            return nullptr;
        }
        for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
            const bool same_type =
                step.has(i) && step.type(i).type == types.front().type && step.dims(i) == types.front().dims;
            if (same_type && ((i == 0 && changes_nothing(step)) || has_neutral_operand(step, i))) {
                return &step.node.inputs[i];
            }
        }
        return nullptr;
    }

    // Whether the operand other than this one is a number that changes nothing: x * 1, x / 1, x + 0, x - 0.
    static bool has_neutral_operand(const Step& step, std::size_t input) {
        const std::string& op_type = step.node.op_type;
        const bool is_product = op_type == "Mul" || op_type == "Div";
        const bool is_commutative = op_type == "Mul" || op_type == "Add";
        if (step.node.inputs.size() != 2 || !(is_product || is_commutative || op_type == "Sub") ||
            (input != 0 && !is_commutative)) {
            return false;
        }
        const Tensor* other = step.constant(1 - input);
        return other != nullptr && other->count() == 1 &&
               other->floats().front() == (is_product ? 1.0F : 0.0F);
    }

    // Whether an operator of one input computes that input, which has the type and sizes of the output.
    static bool changes_nothing(const Step& step) {
        const std::string& op_type = step.node.op_type;
        constexpr std::string_view by_shape[] = {"Cast",   "Expand", "Identity", "Reshape",
                                                 "Resize", "Split",  "Tile"};
        constexpr std::string_view of_one[] = {"Concat", "Max", "Mean", "Min", "Sum"};
        if (std::find(std::begin(by_shape), std::end(by_shape), op_type) != std::end(by_shape)) {
            return true;
        }
        if (std::find(std::begin(of_one), std::end(of_one), op_type) != std::end(of_one)) {
            return step.node.inputs.size() == 1;
        }
        const auto all = [](const Ints& numbers, std::int64_t value) {
            return std::all_of(numbers.begin(), numbers.end(),
                               [value](std::int64_t each) { return each == value; });
        };
        if (op_type == "Clip") {
            return step.node.attributes.empty();
        }
        if (op_type == "Slice") {
            return all(step.node.integers("steps", {}), 1);
        }
        if (op_type == "Pad") {
            return all(step.node.integers("pads", {}), 0);
        }
        if (op_type == "Transpose") {
            const Ints order = step.node.integers("perm", {});
            return std::is_sorted(order.begin(), order.end());
        }
        return false;
    }

    // Outputs of the network keep their names, though the nodes that wrote them may be gone.
    void restore_outputs() {
        std::unordered_map<std::string, std::string> renamed;
        std::unordered_set<std::string> written;
        for (const Node& node : network_.nodes) {
            written.insert(node.outputs.begin(), node.outputs.end());
        }
        std::vector<Node> copies;
        for (const ValueInfo& output : model_.graph.outputs) {
            const auto alias = aliases_.find(output.name);
            if (alias == aliases_.end()) {
                continue;
            }
            const std::string& source = alias->second;
            if (const Tensor* constant = network_.values.constant(source)) {
                network_.values.set_constant(output.name, *constant);
            } else if (written.contains(source) && !network_.outputs.contains(source) &&
                       !renamed.contains(source)) {
                renamed[source] = output.name;
            } else {
                Node copy;
                copy.op_type = "Identity";
                copy.name = output.name;
                copy.inputs = {source};
                copy.outputs = {output.name};
                copies.push_back(std::move(copy));
            }
        }
        for (Node& copy : copies) {
            network_.nodes.push_back(std::move(copy));
        }
        const auto rename = [&renamed](std::vector<std::string>& names) {
            for (std::string& name : names) {
                const auto found = renamed.find(name);
                if (found != renamed.end()) {
                    name = found->second;
                }
            }
        };
        for (Node& node : network_.nodes) {
            rename(node.inputs);
            rename(node.outputs);
        }
    }

    Model& model_;
    Network& network_;
    std::unordered_set<std::string> initializers_;             // the file's
    std::unordered_map<std::string, std::size_t> reads_left_;  // by nodes that are neither folded nor gone
    std::unordered_map<std::string, std::string> aliases_;     // never to a value that is an alias itself
};

void name_nodes(Network& network) {
    std::unordered_set<std::string> names;
    for (Node& node : network.nodes) {
        const std::string wanted = node.name.empty() ? node.outputs.front() : node.name;
        node.name = wanted;
        for (int i = 2; !names.insert(node.name).second; ++i) {
            node.name = wanted + "_" + std::to_string(i);
        }
    }
}

void store(Model& model, Network& network) {
    Graph& graph = model.graph;
    std::unordered_set<std::string> stored;
    const auto store_constant = [&](const std::string& value) {
        const auto constant = network.values.constants.find(value);
        if (constant != network.values.constants.end() && stored.insert(value).second) {
            if (const auto from = network.moved_from.find(value); from != network.moved_from.end()) {
                model.moved_from.insert(*from);
            }
            graph.initializers.push_back(std::move(constant->second));
        }
    };
    graph.value_info.clear();
    for (const Node& node : network.nodes) {
        for (const std::string& input : node.inputs) {
            store_constant(input);
        }
        for (const std::string& output : node.outputs) {
            if (const ValueType* type = network.values.type(output)) {
                graph.value_info.push_back(value_info(output, type->type, type->dims));
            }
        }
    }
    for (ValueInfo& output : graph.outputs) {
        store_constant(output.name);
        if (const ValueType* type = network.values.type(output.name)) {
            output = value_info(output.name, type->type, type->dims);
        }
    }
    graph.nodes = std::move(network.nodes);
}

}  // namespace

Model simplify(Model model) {
    try {
        Network network;
        Evaluation(model, network).run();
        name_nodes(network);
        detail::drop_unused(network);
        for (const auto pass : {detail::merge_pads, detail::recognise_activations,
                                detail::recognise_normalization, detail::move_channels_first,
                                detail::recognise_shuffles, detail::tidy, detail::recognise_channel_ops}) {
            pass(network);
            detail::drop_unused(network);
        }
        if (model.wanted_batch) {
            detail::change_batch(network, model.graph.inputs, *model.wanted_batch);
            for (ValueInfo& input : model.graph.inputs) {
                input = value_info(input.name, input.type, network.values.type(input.name)->dims);
            }
            model.wanted_batch.reset();
        }
        store(model, network);
        return model;
    } catch (const InputError& error) {
        throw InputError((model.origin.empty() ? "" : model.origin + ": ") + error.what());
    }
}

}  // namespace hacscale::onnx
