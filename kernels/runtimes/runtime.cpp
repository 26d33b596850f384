#include "kernels/runtimes/runtime.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/error.hpp"
#include "kernels/host/processors.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale::runtimes {
namespace {

class RuntimeRunner final : public NetworkRunner {
public:
    // With the weights that the options name, or random ones, until load() brings others.
    RuntimeRunner(const Runtime& runtime, const DeviceKind& kind, std::string device, Graph network,
                  const CompileOptions& options)
        : runtime_(runtime),
          kind_(kind),
          device_(std::move(device)),
          network_(std::move(network)),
          batch_(options.batch),
          type_(options.type),
          calibration_(options.calibration),
          inputs_(network_.inputs.size()) {
        load(options.weights != nullptr ? *options.weights : random_weights(network_, 1));
        compiled_in_ = options.weights;
    }

    void load(const std::vector<LayerWeights>& weights) override {
        if (std::exchange(compiled_in_, nullptr) == &weights) return;
        if (weights.size() != network_.nodes.size()) {
            throw InputError("weights for another number of layers than the network has");
        }
        loaded_.reset();
        // The runtime's threads are started here, by loading and by a first run, and may run on all that is measured.
        const host::OnMeasuringProcessors here;
        const ExportedNetwork exported =
            type_ == DataType::i8
                ? export_quantized(network_, weights, batch_,
                                   [this](const ExportedNetwork& network) { return calibrate(network); })
                : export_for_runtime(network_, weights, batch_);
        loaded_ = runtime_.load(device_, exported, type_);
        regions_ = Regions(network_, exported, loaded_->operations());
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            if (!inputs_[i].empty()) loaded_->set_input(i, inputs_[i]);
        }
        loaded_->run();
    }

    void set_input(std::size_t index, std::span<const float> nchw) override {
        const auto expected =
            static_cast<std::size_t>(batch_ * network_.tensors[network_.inputs.at(index)].elements());
        if (nchw.size() != expected) {
            throw InputError("input " + std::to_string(index) + " has " + std::to_string(nchw.size()) +
                             " numbers, the network takes " + std::to_string(expected));
        }
        inputs_[index].assign(nchw.begin(), nchw.end());
        loaded_->set_input(index, nchw);
    }

    void run() override { loaded_->run(); }
    double time_cold() override {
        kind_.fill_caches(device_);
        return time_runs(1);
    }
    void run_timed(std::span<double> node_us) override {
        const std::vector<double> times_us = regions_.layer_us(loaded_->profile(1).front());
        std::copy(times_us.begin(), times_us.end(), node_us.begin());
    }
    bool clock_takes_time() const override { return true; }
    bool has_profiler() const override { return true; }
    ProfiledNodes profile(int passes) override {
        ProfiledNodes nodes{{}, regions_.operations()};
        for (const std::vector<double>& operation_us : loaded_->profile(passes)) {
            nodes.passes_us.push_back(regions_.layer_us(operation_us));
        }
        return nodes;
    }

    void start_layer(int) override { throw InputError(runtime_.name + " starts no layer by itself"); }
    void wait() override {}
    void poison() override { loaded_->poison(); }
    std::vector<float> output(std::size_t index) const override { return loaded_->output(index); }
    std::string implementation(int node) const override { return regions_.implementation(node); }
    // Of the network; what the runtime packs is not known.
    std::size_t weight_bytes() const override {
        return static_cast<std::size_t>(network_.weight_bytes(type_));
    }
    std::size_t activation_bytes() const override {
        return static_cast<std::size_t>(network_.peak_activation_bytes(batch_, type_));
    }

private:
    std::vector<std::vector<std::vector<float>>> calibrate(const ExportedNetwork& network) const {
        const std::unique_ptr<LoadedNetwork> loaded = runtime_.load(device_, network, DataType::f32);
        std::vector<std::vector<std::vector<float>>> outputs;
        const InputSamples random = calibration_ == nullptr ? random_samples(network_) : InputSamples{};
        for (const auto& sample : calibration_ == nullptr ? random : *calibration_) {
            for (std::size_t i = 0; i < sample.size(); ++i) loaded->set_input(i, sample[i]);
            loaded->run();
            std::vector<std::vector<float>>& of_sample = outputs.emplace_back();
            for (std::size_t i = 0; i < network.outputs.size(); ++i) {
                of_sample.push_back(loaded->output(i));
            }
        }
        return outputs;
    }

    const Runtime& runtime_;
    const DeviceKind& kind_;
    std::string device_;
    Graph network_;
    int batch_;
    DataType type_;
    const InputSamples* calibration_;
    const std::vector<LayerWeights>* compiled_in_ = nullptr;
    std::vector<std::vector<float>> inputs_;  // as they were set
    std::unique_ptr<LoadedNetwork> loaded_;
    Regions regions_;
};

class RuntimeBackend final : public Backend {
public:
    RuntimeBackend(Runtime runtime, DeviceKind kind) : runtime_(std::move(runtime)), kind_(std::move(kind)) {}

    std::string name() const override { return runtime_.backend; }
    std::vector<BackendDevice> devices() const override { return kind_.devices; }
    std::string unsupported_reason(const std::string&, DataType type) const override {
        return runtime_.unsupported_reason(type);
    }
    // Runtimes choose layouts by themselves.
    Layout preferred_layout(const Graph&, const CompileOptions&) const override {
        return Layout::channels_last;
    }

    Compiled compile(const std::string& device, const Graph& network,
                     const CompileOptions& options) override {
        if (const std::string reason = unsupported_reason(device, options.type); !reason.empty()) {
            return {nullptr, reason, NoRunner::unsupported};
        }
        try {
            return {std::make_unique<RuntimeRunner>(runtime_, kind_, device, network, options), {}};
        } catch (const DeviceLost&) {
            throw;
        } catch (const WorkError& refused) {
            return {nullptr, refused.what(), NoRunner::unsupported};
        } catch (const std::bad_alloc&) {
            return {nullptr, "out of memory", NoRunner::no_memory};
        }
    }

    std::vector<LayerSpec> peak_layers(DataType) const override { return kind_.peak_layers; }
    double copy_bandwidth(const std::string& device) const override { return kind_.copy_bandwidth(device); }

private:
    Runtime runtime_;
    DeviceKind kind_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(Runtime runtime, DeviceKind kind) {
    return std::make_unique<RuntimeBackend>(std::move(runtime), std::move(kind));
}

}  // namespace hacscale::runtimes
