#include "models/formats/onnx/detail/check.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx::detail {

namespace {

constexpr std::array control_flow = {"If", "Loop", "Scan", "SequenceMap"};
constexpr std::array quantized = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                  "QLinearConv",    "QLinearMatMul",    "ConvInteger",
                                  "MatMulInteger"};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void check_opsets(const Model& model) {
    if (!model.opsets.contains("")) {
        throw InputError("the model does not say its opset (opset_import)");
    }
    if (model.opset() < min_opset || model.opset() > max_opset) {
        throw InputError("the model has opset " + std::to_string(model.opset()) + ", expected " +
                         std::to_string(min_opset) + " to " + std::to_string(max_opset) +
                         "; export it again with another opset_version");
    }
}

void check_operator(const Node& node) {
    if (!node.domain.empty()) {
        throw InputError(
            node.place() + ": the domain \"" + readable(node.domain) +
            "\" is not supported; export the network with ONNX's own operators, and with functions inlined");
    }
    if (contains(control_flow, node.op_type)) {
        throw InputError(node.place() +
                         ": control flow is not supported; export the network with fixed input sizes");
    }
    if (contains(quantized, node.op_type)) {
        throw InputError(node.place() +
                         ": quantized networks are not supported; export the network in float32");
    }
    for (const auto& [name, value] : node.attributes) {
        if (std::holds_alternative<Subgraph>(value)) {
            throw InputError(node.place() + ": the attribute \"" + readable(name) +
                             "\" is a graph, which is not supported");
        }
    }
}

// Who writes each value: a node's index, or nobody for inputs and initializers.
class Writers {
public:
    static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

    explicit Writers(const Graph& graph) {
        for (const Tensor& tensor : graph.initializers) {
            add(tensor.name, nobody, "an initializer");
        }
        for (const ValueInfo& input : graph.inputs) {
            add(input.name, nobody, "an input");
        }
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            for (const std::string& output : graph.nodes[i].outputs) {
                if (!output.empty()) {
                    add(output, i, graph.nodes[i].place());
                }
            }
        }
    }

    // Null for a value that nobody writes.
    const std::size_t* of(const std::string& value) const {
        const auto found = writers_.find(value);
        return found == writers_.end() ? nullptr : &found->second;
    }

private:
    void add(std::string_view value, std::size_t writer, const std::string& place) {
        if (value.empty()) {
            throw InputError(place + " has no name");
        }
        if (!writers_.emplace(value, writer).second) {
            throw InputError(place + ": the value \"" + readable(value) +
                             "\" is there already, each has one origin");
        }
    }

    std::unordered_map<std::string_view, std::size_t> writers_;
};

// Nodes of a cycle: from a node that waits, back along what it waits for until one comes again.
std::string cycle_text(const Graph& graph, const Writers& writers, const std::vector<std::size_t>& waiting) {
    const auto first =
        std::find_if(waiting.begin(), waiting.end(), [](std::size_t count) { return count > 0; });
    std::vector<std::size_t> path;
    std::vector<bool> is_on_path(graph.nodes.size(), false);
    auto node = static_cast<std::size_t>(first - waiting.begin());
    while (!is_on_path[node]) {
        is_on_path[node] = true;
        path.push_back(node);
        for (const std::string& input : graph.nodes[node].inputs) {
            const std::size_t* writer = writers.of(input);
            if (writer != nullptr && *writer != Writers::nobody && waiting[*writer] > 0) {
                node = *writer;
                break;
            }
        }
    }
    std::string text;
    constexpr std::size_t max_named = 4;
    const auto start = std::find(path.begin(), path.end(), node);
    for (auto i = start; i != path.end(); ++i) {
        if (static_cast<std::size_t>(i - start) == max_named) {
            return text + ", ...";
        }
        text += (text.empty() ? "" : ", ") + graph.nodes[*i].place();
    }
    return text;
}

void sort_nodes(Graph& graph, const Writers& writers) {
    std::vector<std::size_t> waiting(graph.nodes.size(), 0);
    std::vector<std::vector<std::size_t>> readers(graph.nodes.size());
    bool is_sorted = true;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        for (const std::string& input : graph.nodes[i].inputs) {
            if (input.empty()) {
                continue;
            }
            const std::size_t* writer = writers.of(input);
            if (writer == nullptr) {
                throw InputError(graph.nodes[i].place() + " reads \"" + readable(input) +
                                 "\", which is no input, no initializer, and written by no node");
            }
            if (*writer == Writers::nobody) {
                continue;
            }
            ++waiting[i];
            readers[*writer].push_back(i);
            is_sorted = is_sorted && *writer < i;
        }
    }
    if (is_sorted) {
        return;
    }
    // Of the nodes that could run, the first of the file comes first.
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i] == 0) {
            ready.push(i);
        }
    }
    std::vector<std::size_t> order;
    while (!ready.empty()) {
        const std::size_t node = ready.top();
        ready.pop();
        order.push_back(node);
        for (const std::size_t reader : readers[node]) {
            if (--waiting[reader] == 0) {
                ready.push(reader);
            }
        }
    }
    if (order.size() < graph.nodes.size()) {
        throw InputError("these nodes read each other's outputs in a circle: " +
                         cycle_text(graph, writers, waiting));
    }
    std::vector<Node> sorted;
    sorted.reserve(order.size());
    for (const std::size_t node : order) {
        sorted.push_back(std::move(graph.nodes[node]));
    }
    graph.nodes = std::move(sorted);
}

}  // namespace

void check_and_sort(Model& model) {
    check_opsets(model);
    Graph& graph = model.graph;
    for (const Node& node : graph.nodes) {
        check_operator(node);
    }
    // Before IR version 4, initializers were inputs as well.
    std::unordered_set<std::string_view> initializers;
    for (const Tensor& tensor : graph.initializers) {
        initializers.insert(tensor.name);
    }
    std::erase_if(graph.inputs,
                  [&initializers](const ValueInfo& input) { return initializers.contains(input.name); });
    {
        const Writers writers(graph);
        if (graph.outputs.empty()) {
            throw InputError("the graph has no outputs");
        }
        for (const ValueInfo& output : graph.outputs) {
            if (writers.of(output.name) == nullptr) {
                throw InputError("the output \"" + readable(output.name) + "\" is written by no node");
            }
        }
        sort_nodes(graph, writers);
    }
}

}  // namespace hacscale::onnx::detail
