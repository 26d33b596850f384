// Hand-written candidates for a layer, run on the CPU.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/cuda/device/handwritten.hpp"
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
        input = rounded(random_values(batch * layer.in_channels * layer.in_height * layer.in_width, seed),
                        context.type);
        residual = rounded(random_values(layer.residual ? outputs : 0, seed + 1), context.type);
    }
    std::size_t outputs = 0;
    std::vector<float> input;
    std::vector<float> residual;
    LayerWeights weights;
};

// What the candidate makes of the example, NCHW.
inline std::vector<float> run_candidate(CudaLayer& candidate, const LayerContext& context,
                                        const LayerExample& example) {
    const LayerSpec& layer = context.layer;
    Buffer input = channels_last(example.input, context.batch, layer.in_channels, context.type);
    Buffer residual = channels_last(example.residual, context.batch, layer.out_channels, context.type);
    Buffer packed(candidate.weight_bytes());
    candidate.pack_weights(example.weights, packed.span());
    Buffer workspace(candidate.workspace_bytes());
    Buffer output(example.outputs * size_of(context.type));
    candidate.launch({input.data(), layer.residual ? residual.data() : nullptr, output.data(), packed.data(),
                      workspace.data()},
                     nullptr);
    return dense_nchw(output, example.outputs, context.batch, layer.out_channels, context.type);
}

inline double bound_for(DataType type) {
    return type == DataType::f32 || type == DataType::tf32 ? 1e-4 : 2e-2;
}

// Compares all candidates for the layer with the reference, and returns what they are called.
inline std::vector<std::string> check_candidates(const LayerContext& context, std::uint64_t seed) {
    const LayerExample example(context, seed);
    const auto expected =
        reference_layer(context.layer, context.batch, {example.input.begin(), example.input.end()},
                        {example.residual.begin(), example.residual.end()}, example.weights);
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
