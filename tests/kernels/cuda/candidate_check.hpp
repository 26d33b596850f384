// Hand-written candidates for a layer, run on the CPU.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/cuda/device_buffers.hpp"

namespace hacscale::cuda::testing {

// Tensors and weights of a layer, random.
struct LayerExample {
    LayerExample(const LayerContext& context, std::uint64_t seed)
        : weights(random_weights(context.layer, seed + 2)) {
        const LayerSpec& layer = context.layer;
        const auto batch = static_cast<std::size_t>(context.batch);
        outputs = batch * layer.out_channels * layer.out_height() * layer.out_width();
        for (int i = 0; i < layer.inputs; ++i) {
            inputs.push_back(rounded(
                random_values(input_shape(layer, context.batch, i).elements(), seed + 3 * i), context.type));
        }
        residual = rounded(random_values(layer.residual ? outputs : 0, seed + 1), context.type);
    }
    std::size_t outputs = 0;
    std::vector<std::vector<float>> inputs;
    std::vector<float> residual;  // empty where the layer adds none
    LayerWeights weights;
};

// What the candidate makes of the example, NCHW.
inline std::vector<float> run_candidate(CudaLayer& candidate, const LayerContext& context,
                                        const LayerExample& example) {
    const LayerSpec& layer = context.layer;
    std::vector<Buffer> inputs;
    std::vector<DataInput> data_inputs;
    for (int i = 0; i < layer.inputs; ++i) {
        const int channels = input_shape(layer, context.batch, i).channels;
        inputs.push_back(channels_last(example.inputs[i], context.batch, channels, context.type));
        data_inputs.push_back({inputs.back().data(), channels});
    }
    Buffer residual = channels_last(example.residual, context.batch, layer.out_channels, context.type);
    Buffer packed(candidate.weight_bytes());
    candidate.pack_weights(example.weights, packed.span());
    Buffer workspace(candidate.workspace_bytes());
    Buffer output(example.outputs * size_of(context.type));
    candidate.launch({inputs.front().data(), layer.residual ? residual.data() : nullptr, output.data(),
                      packed.data(), workspace.data(), data_inputs},
                     nullptr);
    return dense_nchw(output, example.outputs, context.batch, layer.out_channels, context.type);
}

inline std::vector<double> expected_outputs(const LayerContext& context, const LayerExample& example) {
    std::vector<std::vector<double>> tensors;
    for (const auto& input : example.inputs) tensors.emplace_back(input.begin(), input.end());
    if (context.layer.residual) tensors.emplace_back(example.residual.begin(), example.residual.end());
    ReferenceInputs read;
    for (const auto& tensor : tensors) read.push_back(&tensor);
    return reference_layer(context.layer, context.batch, read, example.weights);
}

inline double bound_for(DataType type) {
    return type == DataType::f32 || type == DataType::tf32 ? 1e-4 : 2e-2;
}

// Compares all candidates for the layer with the reference, and returns what they are called.
inline std::vector<std::string> check_candidates(const LayerContext& context, std::uint64_t seed) {
    const LayerExample example(context, seed);
    const auto expected = expected_outputs(context, example);
    std::vector<std::string> names;
    for (const auto& candidate : handwritten_candidates(context)) {
        names.push_back(candidate->implementation());
        EXPECT_LT(relative_error(run_candidate(*candidate, context, example), expected),
                  bound_for(context.type))
            << context.layer.key() << " batch " << context.batch << " for " << context.device.multiprocessors
            << " multiprocessors by " << names.back();
    }
    return names;
}

}  // namespace hacscale::cuda::testing
