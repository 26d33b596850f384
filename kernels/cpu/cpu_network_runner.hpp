// A network compiled for the CPU: its layers, one arena of activations, one scratchpad.
#pragma once

#include "kernels/backend/backend.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "models/graph/memory_layout.hpp"

namespace hacscale::cpu {

class CpuNetworkRunner final : public NetworkRunner {
public:
    // Throws UnsupportedLayer naming the layer that has no kernel.
    CpuNetworkRunner(const Graph& network, const CompileOptions& options);

    void load(const std::vector<LayerWeights>& weights) override;
    void set_input(std::size_t index, std::span<const float> nchw) override;
    void run() override;
    double time_cold() override;
    void run_timed(std::span<double> node_us) override;
    void start_layer(int node) override { run(steps_.at(node)); }
    void wait() override {}
    void poison() override;
    std::vector<float> output(std::size_t index) const override;
    std::string implementation(int node) const override { return steps_.at(node).layer->implementation(); }
    std::size_t weight_bytes() const override;
    std::size_t activation_bytes() const override { return arena_.size(); }

private:
    // A tensor that is needed at another place, or in another order, than its own.
    struct Copy {
        const std::byte* from = nullptr;
        TensorShape from_shape;
        std::byte* to = nullptr;
        TensorShape to_shape;
    };
    struct Step {
        std::unique_ptr<CpuLayer> layer;
        std::vector<TensorShape> inputs;  // as the layer reads them
        // Done before the layer runs: inputs in another order, and the residual to the output where it is not
        // there already.
        std::vector<Copy> copies;
        std::vector<Buffer> reordered;  // the inputs that are copies
    };

    void make_layers(bool weights_stay_cached);
    void place(const ArenaLayout& layout);
    void run(const Step& step) const;
    void evict();

    Graph network_;
    int batch_;
    DataType type_;
    WeightPool weight_pool_;
    std::vector<TensorShape> shapes_;  // one a tensor of the graph
    std::vector<std::byte*> data_;     // of each tensor
    std::vector<Step> steps_;
    std::vector<Buffer> inputs_;
    Buffer arena_;
    Buffer scratch_;
};

}  // namespace hacscale::cpu
