// A network in OpenVINO.
#pragma once

#include <span>
#include <vector>

#include "kernels/openvino/api.hpp"
#include "kernels/runtimes/exported_network.hpp"
#include "kernels/runtimes/regions.hpp"
#include "kernels/runtimes/runtime.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::openvino {

class CompiledNetwork {
public:
    // In f32 or bf16; inputs and outputs are f32. `profiled`: every run adds to the counters. Throws WorkError where the runtime
    // refuses the network.
    CompiledNetwork(const runtimes::ExportedNetwork& network, DataType type, bool profiled);

    // In the runtime's own memory.
    std::span<float> input(std::size_t index) const { return inputs_.at(index); }
    const std::vector<std::span<float>>& outputs() const { return outputs_; }

    void run();
    // Of a profiled network that has run: its operations, and the mean time of each over all runs. The runtime tells whole
    // microseconds.
    struct Counter {
        runtimes::Operation operation;
        double mean_us = 0.0;
    };
    std::vector<Counter> counters() const;

private:
    std::span<float> numbers(ov_tensor* tensor);

    const Api& api_;
    Owned<ov_compiled_model> compiled_;
    Owned<ov_infer_request> request_;
    std::vector<Owned<ov_tensor>> tensors_;
    std::vector<std::span<float>> inputs_;
    std::vector<std::span<float>> outputs_;
};

// The network as it is deployed, and once more with its counters on, which only whole networks can have.
class TwiceCompiled final : public runtimes::LoadedNetwork {
public:
    TwiceCompiled(const runtimes::ExportedNetwork& network, DataType type);

    void set_input(std::size_t index, std::span<const float> nchw) override;
    void run() override { plain_.run(); }
    std::vector<float> output(std::size_t index) const override;
    void poison() override;
    const std::vector<runtimes::Operation>& operations() const override { return operations_; }
    // One entry: the counters add up all runs.
    std::vector<std::vector<double>> profile(int passes) override;

private:
    CompiledNetwork plain_;
    CompiledNetwork profiled_;
    std::vector<runtimes::Operation> operations_;
    std::vector<double>
        warm_up_us_;         // of each operation, in the runs that brought weights into the caches first
    int profiled_runs_ = 0;  // those included
};

}  // namespace hacscale::openvino
