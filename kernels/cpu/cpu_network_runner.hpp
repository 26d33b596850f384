// A network compiled for the CPU: its layers, one arena of activations, one scratchpad.
//
// A network of DataType::i8 is compiled when its weights are known: it runs on random inputs in f32 first, and the range of numbers in
// each tensor becomes its scale (quantization.hpp). The scales are part of the compiled layers.
#pragma once

#include "kernels/backend/backend.hpp"
#include "kernels/cpu/quantization.hpp"
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
    // A tensor that is needed at another place, in another order, or in another form, than its own. Order and form are not changed in
    // one copy.
    struct Copy {
        const std::byte* from = nullptr;
        TensorShape from_shape;
        Stored from_form;
        std::byte* to = nullptr;
        TensorShape to_shape;
        Stored to_form;
    };
    // A copy in another form that several layers read.
    struct SharedCopy {
        TensorId tensor = 0;
        TensorShape::Order order = TensorShape::Order::channels_last;
        Stored form;
        std::byte* at = nullptr;
    };
    struct Step {
        std::unique_ptr<CpuLayer> layer;
        std::vector<TensorShape> inputs;  // as the layer reads them
        std::vector<Stored> input_forms;
        Stored residual_form;
        // Done before the layer runs: inputs in another order or form, and the residual to the output where it is not
        // there already.
        std::vector<Copy> copies;
        std::vector<Buffer> copied;  // the inputs that are copies
    };

    // `any_kernel` as in LayerContext.
    CpuNetworkRunner(const Graph& network, const CompileOptions& options, bool any_kernel);

    // Makes everything but the inputs, of integers for these weights; null: for ranges and weights that are made up.
    void build(const std::vector<LayerWeights>* weights);
    void make_layers(bool weights_stay_cached, const std::vector<LayerWeights>* weights);
    LayerContext context_of(std::size_t node, bool weights_stay_cached,
                            const std::vector<LayerWeights>* weights);
    void place(const ArenaLayout& layout);
    const std::byte* bring(Step& step, TensorId tensor, const TensorShape& shape, const Stored& form,
                           std::byte* to);
    // Of a tensor of this form, and of a layer that computes on it: in a network of integers, f32 where there are none.
    DataType type_of(const Stored& form) const;
    std::size_t bytes_of(TensorId tensor) const;
    // Of each tensor, over a few random inputs.
    std::vector<ValueRange> calibrate(const std::vector<LayerWeights>& weights) const;
    void widen_by_run(std::vector<ValueRange>& ranges);
    void run(const Step& step) const;
    void evict();

    Graph network_;
    int batch_;
    DataType type_;
    std::int64_t footprint_bytes_;
    const InputSamples* calibration_;
    bool any_kernel_;
    // The weights for which it is built, of type i8, until they are loaded.
    const std::vector<LayerWeights>* compiled_in_ = nullptr;
    WeightPool weight_pool_;
    std::vector<TensorShape> shapes_;  // one a tensor of the graph
    Quantization quantization_;        // of type i8; else everything is stored in type_
    std::vector<std::byte*> data_;     // of each tensor
    std::vector<SharedCopy> shared_;
    std::vector<Step> steps_;
    std::vector<Buffer> inputs_;
    Buffer arena_;
    Buffer scratch_;
};

}  // namespace hacscale::cpu
