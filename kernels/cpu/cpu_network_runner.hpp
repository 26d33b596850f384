// A network compiled for the CPU: its layers, one arena of activations, one scratchpad.
#pragma once

#include "kernels/backend/backend.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "models/graph/memory_plan.hpp"

namespace hacscale::cpu {

class CpuNetworkRunner final : public NetworkRunner {
public:
    // Throws UnsupportedLayer naming the layer that has no kernel.
    CpuNetworkRunner(const Network& network, const CompileOptions& options);

    void load(const std::vector<LayerWeights>& weights) override;
    void set_input(std::span<const float> nchw) override;
    void set_residual(std::span<const float> nchw) override;
    void run() override;
    double time_cold() override;
    void run_timed(std::span<double> node_us) override;
    void start_layer(int node) override { steps_.at(node).run(); }
    void wait() override {}
    void poison() override;
    std::vector<float> output() const override;
    std::string implementation(int node) const override { return steps_.at(node).layer->implementation(); }
    std::size_t weight_bytes() const override;
    std::size_t activation_bytes() const override { return arena_.size(); }

private:
    struct Step {
        std::unique_ptr<CpuLayer> layer;
        TensorShape output;
        std::byte* output_data = nullptr;
        // The residual to copy to the output first; null where it is there already.
        const std::byte* residual = nullptr;
        std::size_t residual_bytes = 0;

        void run() const;
    };

    TensorShape shape_of(int node) const;
    void evict();

    Network network_;
    int batch_;
    DataType type_;
    WeightPool weight_pool_;
    std::vector<Step> steps_;
    TensorShape input_shape_;
    Buffer input_;
    Buffer external_residual_;
    Buffer arena_;
    Buffer scratch_;
};

}  // namespace hacscale::cpu
