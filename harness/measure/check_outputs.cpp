#include "harness/measure/check_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::harness {

namespace {

// As tests of whole networks have them: errors of 16-bit types grow with the number of layers.
double bound_of(DataType type) {
    return type == DataType::f32 ? 1e-4 : 5e-2;
}

class OutputsCheck {
public:
    OutputsCheck(const DeviceHandle& device, Network network, int batch, DataType type)
        : device_(device),
          network_(for_device(std::move(network), device, batch, type)),
          batch_(batch),
          type_(type),
          inputs_(random_inputs(network_.graph, batch, 2)) {
        if (network_.weights.empty()) network_.weights = random_weights(network_.graph, 1);
        checked_.bound = bound_of(type);
    }

    CheckedOutputs run() {
        const Graph& graph = network_.graph;
        const std::unique_ptr<NetworkRunner> whole = ran(graph);
        // Every layer's output is kept, which may keep a device from fusing layers: so the network as it is runs too.
        Graph every_layer = graph;
        every_layer.outputs.clear();
        for (const Node& node : graph.nodes) every_layer.outputs.push_back(node.outputs.front());
        const std::unique_ptr<NetworkRunner> layers = ran(every_layer);

        const std::vector<int> last = last_readers(graph);
        std::vector<std::vector<double>> values(graph.tensors.size());
        for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
            values[graph.inputs[i]].assign(inputs_[i].begin(), inputs_[i].end());
        }
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const Node& node = graph.nodes[i];
            ReferenceInputs read;
            for (const TensorId id : node.inputs) read.push_back(&values[id]);
            std::vector<double> expected = reference_layer(node.layer, batch_, read, network_.weights[i]);
            compare_layer(node, relative_error(layers->output(i), expected));
            compare_outputs(*whole, node.outputs.front(), expected);
            values[node.outputs.front()] = std::move(expected);
            for (const TensorId id : node.inputs) {
                if (last[id] == static_cast<int>(i)) values[id] = {};
            }
        }
        return checked_;
    }

private:
    std::unique_ptr<NetworkRunner> ran(const Graph& graph) const {
        Compiled compiled = device_.backend->compile(device_.device.id, graph, {batch_, type_, 0});
        if (!compiled.runner) {
            throw WorkError(
                fmt::format("{} cannot run {}: {}", device_.device.id, network_.name, compiled.reason));
        }
        compiled.runner->load(network_.weights);
        set_inputs(*compiled.runner, inputs_);
        compiled.runner->poison();
        compiled.runner->run();
        return std::move(compiled.runner);
    }

    // What is not a number is worse than any number.
    static bool is_worse(double error, double than) { return std::isnan(error) || error > than; }

    void compare_layer(const Node& node, double error) {
        if (std::isnan(checked_.worst_error) || !is_worse(error, checked_.worst_error)) return;
        checked_.worst_layer = node.name;
        checked_.worst_key = node.layer.key();
        checked_.worst_error = error;
    }

    void compare_outputs(const NetworkRunner& runner, TensorId tensor, const std::vector<double>& expected) {
        const std::vector<TensorId>& outputs = network_.graph.outputs;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (outputs[i] != tensor) continue;
            const double error = relative_error(runner.output(i), expected);
            if (is_worse(error, checked_.relative_error)) checked_.relative_error = error;
        }
    }

    const DeviceHandle& device_;
    Network network_;
    int batch_;
    DataType type_;
    std::vector<std::vector<float>> inputs_;
    CheckedOutputs checked_;
};

}  // namespace

CheckedOutputs check_outputs(const DeviceHandle& device, Network network, int batch, DataType type) {
    return OutputsCheck(device, std::move(network), batch, type).run();
}

}  // namespace hacscale::harness
