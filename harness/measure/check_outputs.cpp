#include "harness/measure/check_outputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "harness/measure/device_access.hpp"
#include "kernels/host/processors.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::harness {

namespace {

// As tests of whole networks have them: errors of 16-bit types grow with the number of layers, and those of 8-bit integers more.
double bound_of(DataType type) {
    if (type == DataType::i8) return 0.25;
    return type == DataType::f32 ? 1e-4 : 5e-2;
}

void on_all_processors(std::size_t count, const std::function<void(std::size_t)>& work) {
    host::for_each_in_parallel(count, work);
}

// Of how many images, each with so many numbers, the greatest number is at the same place.
int same_classes(const std::vector<float>& outputs, const std::vector<double>& expected, int classes) {
    int same = 0;
    for (std::ptrdiff_t begin = 0; begin < std::ssize(outputs); begin += classes) {
        const auto found = std::max_element(outputs.begin() + begin, outputs.begin() + begin + classes);
        const auto wanted = std::max_element(expected.begin() + begin, expected.begin() + begin + classes);
        if (found - outputs.begin() == wanted - expected.begin()) ++same;
    }
    return same;
}

// One entry an input of the graph.
std::vector<std::vector<float>> first_of(const InputSamples& samples, int batch) {
    std::vector<std::vector<float>> inputs(samples.front().size());
    for (std::size_t image = 0; image < static_cast<std::size_t>(batch); ++image) {
        const auto& sample = samples[image % samples.size()];
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            inputs[i].insert(inputs[i].end(), sample[i].begin(), sample[i].end());
        }
    }
    return inputs;
}

class OutputsCheck {
public:
    OutputsCheck(const DeviceHandle& device, Network network, int batch, DataType type,
                 const InputSamples& samples)
        : device_(device),
          network_(for_device(std::move(network), device, batch, type)),
          batch_(batch),
          type_(type),
          samples_(samples),
          inputs_(samples.empty() ? random_inputs(network_.graph, batch, 2) : first_of(samples, batch)) {
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

        const auto compare = [&](std::size_t i, const std::vector<double>& expected) {
            compare_layer(graph.nodes[i], relative_error(layers->output(i), expected));
        };
        const std::vector<std::vector<double>> expected =
            reference_graph(graph, batch_, inputs_, network_.weights, compare, on_all_processors);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double error = relative_error(whole->output(i), expected[i]);
            if (is_worse(error, checked_.relative_error)) checked_.relative_error = error;
        }
        const Tensor& output = graph.tensors[graph.outputs.front()];
        if (graph.outputs.size() == 1 && output.channels == output.elements()) {
            checked_.same_class = same_classes(whole->output(0), expected.front(), output.channels);
        }
        return checked_;
    }

private:
    std::unique_ptr<NetworkRunner> ran(const Graph& graph) const {
        CompileOptions options{batch_, type_};
        options.weights = &network_.weights;
        if (!samples_.empty()) options.calibration = &samples_;
        std::unique_ptr<NetworkRunner> runner = compiled(device_, network_.name, graph, options);
        runner->load(network_.weights);
        set_inputs(*runner, inputs_);
        runner->poison();
        runner->run();
        return runner;
    }

    // What is not a number is worse than any number.
    static bool is_worse(double error, double than) { return std::isnan(error) || error > than; }

    void compare_layer(const Node& node, double error) {
        if (std::isnan(checked_.worst_error) || !is_worse(error, checked_.worst_error)) return;
        checked_.worst_layer = node.name;
        checked_.worst_key = node.layer.key();
        checked_.worst_error = error;
    }

    const DeviceHandle& device_;
    Network network_;
    int batch_;
    DataType type_;
    const InputSamples& samples_;
    std::vector<std::vector<float>> inputs_;
    CheckedOutputs checked_;
};

}  // namespace

CheckedOutputs check_outputs(const DeviceHandle& device, Network network, int batch, DataType type,
                             const InputSamples& samples) {
    return OutputsCheck(device, std::move(network), batch, type, samples).run();
}

}  // namespace hacscale::harness
