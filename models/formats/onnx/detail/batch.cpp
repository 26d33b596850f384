// Another batch than the one that a file fixes. Exporters without dynamic axes write the batch into the constant shapes of Reshape, Expand
// and Resize, so a graph is simplified at the file's batch first; then the first sizes are multiplied, node by node, wherever the batch is
// outermost. Where it is not, the network cannot be measured at another batch, and the message says at which node.
#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/error.hpp"
#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

class BatchChange {
public:
    BatchChange(Network& network, std::int64_t from, std::int64_t to)
        : network_(network), from_(from), to_(to) {}

    void start_with(const std::string& input) { multiply(input); }

    void handle(Node& node) {
        bool any = false;
        for (const std::string& input : node.inputs) {
            any = any || is_multiplied(input);
        }
        if (!any) {
            return;
        }
        if (!keeps_batch_outermost(node) || !fit_attributes(node)) {
            throw InputError(node.place() + " mixes the batch with other axes, so the batch " +
                             std::to_string(from_) + " that the file fixes cannot be changed to " +
                             std::to_string(to_) + "; export the network with a dynamic batch");
        }
        for (const std::string& output : node.outputs) {
            multiply(output);
        }
    }

private:
    bool is_multiplied(const std::string& value) const { return multiplied_.contains(value); }
    const Ints& dims(const std::string& value) const { return network_.values.type(value)->dims; }

    void multiply(const std::string& value) {
        if (value.empty()) {
            return;
        }
        ValueType type = *network_.values.type(value);
        type.dims.front() = type.dims.front() / from_ * to_;
        network_.values.set_type(value, std::move(type));
        multiplied_.insert(value);
    }

    // Whether the first axis of the output is that of the inputs with the batch, and all others ignore it.
    bool keeps_batch_outermost(const Node& node) const {
        for (const std::string& output : node.outputs) {
            if (!output.empty() && (dims(output).empty() || dims(output).front() % from_ != 0)) {
                return false;
            }
        }
        const std::string& op = node.op_type;
        const bool first_is_data = is_multiplied(node.inputs.front());
        if (op == "Transpose") {
            return node.integers("perm", {}).front() == 0;
        }
        if (op == "Concat") {
            return node.integer("axis", 0) != 0 &&
                   std::all_of(node.inputs.begin(), node.inputs.end(),
                               [this](const std::string& input) { return is_multiplied(input); });
        }
        if (op == "Split" || op == "Gather" || op == "Softmax" || op == "LogSoftmax" || op == "ArgMax" ||
            op == "ArgMin" || op == "LayerNormalization" || op == "LpNormalization") {
            return node.integer("axis", 0) != 0 && only_first(node);
        }
        if (op.starts_with("Reduce")) {
            const Ints axes = node.integers("axes", {});
            return std::find(axes.begin(), axes.end(), 0) == axes.end();
        }
        if (op == "Slice") {
            return node.integers("starts", {}).front() == 0 && node.integers("steps", {}).front() == 1 &&
                   node.integers("counts", {}).front() * to_ == dims(node.inputs.front()).front() * from_;
        }
        if (op == "Pad") {
            const Ints pads = node.integers("pads", {});
            return pads.front() == 0 && pads[pads.size() / 2] == 0;
        }
        if (op == "Gemm") {
            return only_first(node) && node.integer("transA", 0) == 0;
        }
        if (op == "MatMul") {
            return is_batched_product(node);
        }
        return (first_is_data && only_first(node)) || is_element_by_element(node);
    }

    bool only_first(const Node& node) const {
        return is_multiplied(node.inputs.front()) &&
               std::none_of(node.inputs.begin() + 1, node.inputs.end(),
                            [this](const std::string& input) { return is_multiplied(input); });
    }

    // Broadcast operands: with the batch as first axis, or without an axis there.
    bool is_element_by_element(const Node& node) const {
        const std::size_t rank = dims(node.outputs.front()).size();
        return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
            if (input.empty()) {
                return true;
            }
            return is_multiplied(input) ? dims(input).size() == rank
                                        : dims(input).size() < rank || dims(input).front() == 1;
        });
    }

    bool is_batched_product(const Node& node) const {
        const std::size_t rank = dims(node.outputs.front()).size();
        const bool by_rows = only_first(node) && dims(node.inputs[1]).size() == 2;
        return by_rows || (rank > 2 && is_element_by_element(node));
    }

    bool fit_attributes(Node& node) const {
        for (const char* name : {"shape", "sizes", "counts"}) {
            const auto found = node.attributes.find(name);
            if (found == node.attributes.end()) {
                continue;
            }
            Ints& sizes = std::get<Ints>(found->second);
            if (sizes.empty() || sizes.front() % from_ != 0) {
                return false;
            }
            sizes.front() = sizes.front() / from_ * to_;
        }
        return true;
    }

    Network& network_;
    std::int64_t from_, to_;
    std::unordered_set<std::string> multiplied_;
};

}  // namespace

void change_batch(Network& network, const std::vector<ValueInfo>& inputs, std::int64_t batch) {
    std::int64_t fixed = 0;
    for (const ValueInfo& input : inputs) {
        const Ints& dims = network.values.type(input.name)->dims;
        if (dims.size() < 2) {
            continue;
        }
        if (dims.front() < 1 || (fixed != 0 && dims.front() != fixed)) {
            throw InputError(
                "the file fixes different batches for its inputs, so the batch cannot be changed to " +
                std::to_string(batch));
        }
        fixed = dims.front();
    }
    if (fixed == 0 || fixed == batch) {
        return;
    }
    BatchChange change(network, fixed, batch);
    for (const ValueInfo& input : inputs) {
        if (network.values.type(input.name)->dims.size() >= 2) {
            change.start_with(input.name);
        }
    }
    for (Node& node : network.nodes) {
        change.handle(node);
    }
}

}  // namespace hacscale::onnx::detail
