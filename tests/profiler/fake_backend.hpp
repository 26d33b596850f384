// A made-up device with a made-up clock: its runs take the time that a formula says, and compute what the
// reference computes. Only its runs move its clock, so measuring for seconds is over at once, and comes out
// the same whatever else the machine does.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend/backend_registry.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::testing {

// What a test sets, and what it can look at afterwards.
struct FakeMachine {
    std::function<double(const LayerSpec&)> latency_us = [](const LayerSpec& layer) {
        return 2.0 + 0.02 * layer.out_channels;
    };
    double slowdown = 1.0;  // of everything, changed at will
    bool kernels_overlap = false;
    double cold_factor = 2.0;  // of a run with cold caches
    // What a clock behind this layer takes, as an event on a GPU; null: nothing, as on a CPU. By its prefixes, a
    // network can be timed where it takes time.
    std::function<double(const LayerSpec&)> clock_us_behind;
    std::function<bool(const LayerSpec&)> supported = [](const LayerSpec&) { return true; };
    std::function<bool(const LayerSpec&)> right = [](const LayerSpec&) { return true; };
    std::function<void(const Graph&)> before_compile = [](const Graph&) {};
    std::function<void(const Graph&)> before_run = [](const Graph&) {};
    // Factor of the run with this number, plain and timed runs counted together.
    std::function<double(int)> spike = [](int) { return 1.0; };

    // A runtime with a profiler of its own: how many of its operations compute a layer (0: within another one's, and then it
    // should take no time), and what it takes between operations; null: no profiler.
    std::function<int(const LayerSpec&)> operations;
    double between_operations_us = 0.0;
    double profiler_slowdown = 1.0;  // of passes under it
    int profiled_passes = 0;

    // Why a network as a whole cannot be compiled, whatever its layers; empty when it can.
    std::function<std::string(const Graph&)> whole_network_unsupported_reason = [](const Graph&) {
        return std::string();
    };

    double clock_us = 0.0;
    int compiled = 0;
    int alive = 0;  // networks that are compiled now
    int runs = 0;
};

class FakeRunner final : public NetworkRunner {
public:
    FakeRunner(FakeMachine& machine, Graph network, int batch)
        : machine_(machine), network_(std::move(network)), batch_(batch) {
        for (const Node& node : network_.nodes) {
            latencies_us_.push_back(machine_.latency_us(node.layer) * batch_);
        }
        ++machine_.alive;
    }
    ~FakeRunner() override { --machine_.alive; }
    FakeRunner(const FakeRunner&) = delete;
    FakeRunner& operator=(const FakeRunner&) = delete;

    void load(const std::vector<LayerWeights>& weights) override { weights_ = weights; }
    void set_input(std::size_t index, std::span<const float> nchw) override {
        inputs_.at(index).assign(nchw.begin(), nchw.end());
    }

    double clock_us() const override { return machine_.clock_us; }
    // What is started runs by itself, while the test's instruments move the clock.
    void start_runs(int runs) override {
        double once_us = 0.0;
        for (const double latency_us : latencies_us_) once_us += latency_us;
        in_flight_us_ = runs * once_us;
        started_us_ = machine_.clock_us;
    }
    double finish_runs(int) override {
        machine_.clock_us = std::max(machine_.clock_us, started_us_ + in_flight_us_);
        return in_flight_us_;
    }
    void run() override {
        const double factor = next_factor();
        for (const double latency_us : latencies_us_) machine_.clock_us += latency_us * factor;
        machine_.clock_us += all_operations() * machine_.between_operations_us * factor;
    }
    bool has_profiler() const override { return machine_.operations != nullptr; }
    ProfiledNodes profile(int passes) override {
        ProfiledNodes nodes{std::vector(passes, latencies_us_), {}};
        for (std::vector<double>& pass : nodes.passes_us) {
            for (double& latency_us : pass) latency_us *= machine_.slowdown * machine_.profiler_slowdown;
        }
        for (const Node& node : network_.nodes) nodes.operations.push_back(machine_.operations(node.layer));
        for (int pass = 0; pass < passes; ++pass) run();
        machine_.profiled_passes += passes;
        return nodes;
    }
    void run_timed(std::span<double> node_us) override {
        const double factor = next_factor();
        for (std::size_t i = 0; i < latencies_us_.size(); ++i) {
            node_us[i] = latencies_us_[i] * factor;
            if (machine_.clock_us_behind) node_us[i] += machine_.clock_us_behind(network_.nodes[i].layer);
            machine_.clock_us += node_us[i];
        }
    }
    bool clock_takes_time() const override { return machine_.clock_us_behind != nullptr; }
    bool kernels_overlap() const override { return machine_.kernels_overlap; }
    bool times_prefixes() const override { return clock_takes_time(); }
    void time_prefixes(std::span<double> prefix_us) override {
        for (std::size_t last = 0; last < latencies_us_.size(); ++last) {
            run();
            const double factor = next_factor();
            prefix_us[last] = 0.0;
            for (std::size_t i = 0; i <= last; ++i) prefix_us[last] += latencies_us_[i] * factor;
            machine_.clock_us += prefix_us[last];
        }
    }
    double time_cold() override {
        evicted_ = true;
        return time_runs(1);
    }
    void start_layer(int node) override { machine_.clock_us += latencies_us_.at(node); }
    void wait() override {}
    void poison() override {}

    std::vector<float> output(std::size_t index) const override {
        const auto exact = reference_graph(network_, batch_, inputs_, weights_).at(index);
        std::vector<float> result(exact.begin(), exact.end());
        const Tensor& tensor = network_.tensors[network_.outputs[index]];
        if (!machine_.right(network_.nodes[tensor.producer].layer)) {
            for (float& value : result) value *= 1.5F;
        }
        return result;
    }
    std::string implementation(int node) const override {
        return "fake_" + std::string(name_of(network_.nodes[node].layer.kind));
    }
    std::size_t weight_bytes() const override { return network_.weight_bytes(DataType::f32); }
    std::size_t activation_bytes() const override { return 4096; }

private:
    int all_operations() const {
        if (!machine_.operations) return 0;
        int sum = 0;
        for (const Node& node : network_.nodes) sum += machine_.operations(node.layer);
        return sum;
    }

    double next_factor() {
        machine_.before_run(network_);
        const double cold = std::exchange(evicted_, false) ? machine_.cold_factor : 1.0;
        return machine_.slowdown * cold * machine_.spike(machine_.runs++);
    }

    FakeMachine& machine_;
    Graph network_;
    int batch_;
    std::vector<double> latencies_us_;
    std::vector<LayerWeights> weights_;
    std::vector<std::vector<float>> inputs_{network_.inputs.size()};
    bool evicted_ = false;
    double started_us_ = 0.0;
    double in_flight_us_ = 0.0;
};

class FakeBackend : public Backend {
public:
    explicit FakeBackend(FakeMachine& machine) : machine_(machine) {}

    std::string name() const override { return "fake"; }
    double clock_us() const override { return machine_.clock_us; }
    std::vector<BackendDevice> devices() const override {
        BackendDevice device;
        device.id = "fake";
        device.name = "Fake device";
        device.fingerprint = "feedc0defeedc0de";
        device.properties = "{}";
        return {device};
    }
    std::string unsupported_reason(const std::string&, DataType type) const override {
        return type == DataType::f16 ? "the fake device has no f16" : "";
    }
    Layout preferred_layout(const Graph& network, const CompileOptions&) const override {
        return network.tensors[network.inputs.front()].channels > 3 ? Layout::blocked : Layout::channels_last;
    }
    Compiled compile(const std::string& device, const Graph& network,
                     const CompileOptions& options) override {
        machine_.before_compile(network);
        ++machine_.compiled;
        if (const std::string reason = unsupported_reason(device, options.type); !reason.empty()) {
            return {nullptr, reason, NoRunner::unsupported};
        }
        for (const Node& node : network.nodes) {
            if (!machine_.supported(node.layer)) {
                return {nullptr, "no kernel for " + node.layer.key(), NoRunner::unsupported};
            }
        }
        if (const std::string reason = machine_.whole_network_unsupported_reason(network); !reason.empty()) {
            return {nullptr, reason, NoRunner::no_memory};
        }
        return {std::make_unique<FakeRunner>(machine_, network, options.batch), {}};
    }
    std::vector<LayerSpec> peak_layers(DataType) const override {
        std::vector<LayerSpec> layers(2);
        for (LayerSpec& layer : layers) layer.in_channels = layer.out_channels = 64;
        layers[1].in_height = layers[1].in_width = 4;
        return layers;
    }
    double copy_bandwidth(const std::string&) const override { return 2e10; }

private:
    FakeMachine& machine_;
};

// The machine, its backend, and what the profiler asks for.
struct FakeDevice {
    FakeMachine machine{};
    FakeBackend backend{machine};
    DeviceHandle handle{&backend, backend.devices().front()};

    double truth_us(const Graph& network, int batch = 1) const {
        double sum = 0.0;
        for (const Node& node : network.nodes) sum += machine.latency_us(node.layer) * batch;
        return sum;
    }
    DeviceRecord record() const {
        const BackendDevice& device = handle.device;
        return {device.id, device.name, device.fingerprint, device.properties};
    }
};

// Whether it is what the speed is read by, and not one that a test asks for.
inline bool is_reference(const Graph& network) {
    return network.nodes.front().name == "reference";
}

// Layers so long that a burst has a few passes only, and a change of speed falls between bursts.
inline void take_long(FakeMachine& machine) {
    machine.latency_us = [](const LayerSpec& layer) { return 50.0 + layer.out_channels; };
}

// Short, because the fake device has no noise but what a test gives it.
inline MeasureSettings quick_settings() {
    MeasureSettings settings;
    settings.spin_seconds = 0.0;
    settings.rules = {
        .target_half_width = 0.05, .max_seconds = 1.0, .min_samples = 10, .min_visits = 2, .burst_us = 100.0};
    return settings;
}

// A chain of 1x1 convs on a small map, of these widths: cheap for the reference.
inline ModelSpec chain_model(const std::string& name, const std::vector<int>& widths, int resolution = 4) {
    ModelSpec model;
    model.name = name;
    model.resolution = resolution;
    model.classes = 10;
    model.stem = {ConvSpec{.width = 8, .kernel = 1}};
    for (const int width : widths) {
        StageSpec stage;
        stage.name = "stage" + std::to_string(model.stages.size() + 1);
        stage.block = BlockKind::conv;
        stage.kernel = 1;
        stage.width = width;
        model.stages.push_back(stage);
    }
    model.head = {GlobalAvgPoolSpec{}, LinearSpec{}};
    return model;
}

inline Network chain(const std::string& name, const std::vector<int>& widths, int resolution = 4) {
    return {.name = name, .graph = lower(chain_model(name, widths, resolution))};
}

// Measures graphs as networks without weights of their own.
inline std::vector<NetworkMeasurement> measure_graphs(const DeviceHandle& device,
                                                      const std::vector<Graph>& graphs,
                                                      const MeasureSettings& settings,
                                                      const WorkEvents& events) {
    std::vector<Network> networks;
    for (const Graph& graph : graphs) networks.push_back({.name = "graph", .graph = graph});
    std::vector<const Network*> to_measure;
    for (const Network& network : networks) to_measure.push_back(&network);
    return measure_networks(device, to_measure, settings, events);
}

}  // namespace hacscale::testing
