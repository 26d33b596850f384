// Every plan that cuDNN offers for a layer, not only the one that wins, against the double-precision
// reference: which one wins is another matter on each device.
#include <gtest/gtest.h>

#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "kernels/cuda/stream.hpp"
#include "kernels/reference.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale::cuda {
namespace {

DeviceBuffer on_device(std::span<const std::byte> bytes) {
    DeviceBuffer buffer(bytes.size(), "a test");
    check(cudaMemcpy(buffer.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice), "copying");
    return buffer;
}

DeviceBuffer tensor_on_device(const std::vector<float>& values, const TensorShape& shape, DataType type) {
    std::vector<std::byte> bytes(shape.bytes(type));
    to_nhwc(values, shape, type, bytes);
    return on_device(bytes);
}

// The layer's output for these tensors, NCHW.
std::vector<float> run(CudaLayer& layer, const LayerContext& context, const LayerWeights& weights,
                       const std::vector<float>& input, const std::vector<float>& residual) {
    std::vector<std::byte> packed(layer.weight_bytes());
    layer.pack_weights(weights, packed);
    const DeviceBuffer weights_there = on_device(packed);
    const DeviceBuffer input_there =
        tensor_on_device(input, input_shape(context.layer, context.batch), context.type);
    const TensorShape shape = output_shape(context.layer, context.batch);
    DeviceBuffer residual_there;
    if (!residual.empty()) residual_there = tensor_on_device(residual, shape, context.type);
    const DeviceBuffer workspace(layer.workspace_bytes(), "a test");
    std::vector<std::byte> bytes(shape.bytes(context.type), std::byte{0xff});  // not-a-numbers
    const DeviceBuffer output = on_device(bytes);

    const Stream stream;
    layer.launch(
        {input_there.data(), residual_there.data(), output.data(), weights_there.data(), workspace.data()},
        stream.get());
    stream.synchronize("running " + layer.implementation());
    check(cudaMemcpy(bytes.data(), output.data(), bytes.size(), cudaMemcpyDeviceToHost), "copying");
    return to_nchw(bytes, shape, context.type);
}

void expect_all_right(LayerContext context, std::uint64_t seed) {
    const LayerSpec& layer = context.layer;
    const LayerWeights weights = random_weights(layer, seed);
    const std::vector<float> input = random_values(input_shape(layer, context.batch).elements(), seed + 1);
    std::vector<float> residual;
    if (layer.residual) residual = random_values(output_shape(layer, context.batch).elements(), seed + 2);
    const auto expected = reference_layer(layer, context.batch, {input.begin(), input.end()},
                                          {residual.begin(), residual.end()}, weights);
    std::string reason;
    const auto candidates = cudnn_candidates(context, 6, &reason);
    ASSERT_FALSE(candidates.empty()) << layer.key() << ": " << reason;
    for (const auto& candidate : candidates) {
        EXPECT_LT(relative_error(run(*candidate, context, weights, input, residual), expected),
                  hacscale::testing::layer_tolerance(context.type))
            << layer.key() << " batch " << context.batch << " by " << candidate->implementation();
        const std::string plan = serialized_plan(*candidate);
        const auto restored = cudnn_layer_from_plan(context, plan);
        EXPECT_LT(relative_error(run(*restored, context, weights, input, residual), expected),
                  hacscale::testing::layer_tolerance(context.type))
            << layer.key() << " restored as " << restored->implementation();
    }
}

class GpuCudnn : public hacscale::testing::GpuTest, public ::testing::WithParamInterface<DataType> {};

TEST_P(GpuCudnn, EveryCandidateEqualsTheReference) {
    LayerContext context;
    context.type = GetParam();
    context.device = cuda_device(device()).traits;
    use_device(context.device.index);
    if (const std::string reason = backend().refusal(device(), context.type); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    std::uint64_t seed = 900;
    for (const LayerKind kind : {LayerKind::conv, LayerKind::linear}) {
        for (LayerSpec layer : hacscale::testing::layer_family(kind, kind == LayerKind::conv ? 24 : 6, 11)) {
            layer.layout = Layout::channels_last;
            context.layer = layer;
            context.batch = static_cast<int>(1 + seed % 3);
            expect_all_right(context, seed += 3);
        }
    }
    for (const char* activation : {"relu", "relu6", "silu", "hard_swish", "sigmoid", "hard_sigmoid"}) {
        for (const char* conv :
             {"conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_", "conv_i64x14x14_o64_k3_s1_p1_g64_bias_"}) {
            context.layer = LayerSpec::from_key(std::string(conv) + activation);
            context.batch = 2;
            expect_all_right(context, seed += 3);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Types, GpuCudnn, ::testing::ValuesIn(all_data_types),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

}  // namespace
}  // namespace hacscale::cuda
