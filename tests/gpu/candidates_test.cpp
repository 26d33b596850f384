// Every way to run a layer, not only the one that wins, against the double-precision reference: which one
// wins is another matter on each device.
#include <gtest/gtest.h>

#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "kernels/cuda/stream.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale::cuda {
namespace {

// Copied in the stream that the layer runs in: a plain copy of little memory may end after it has returned,
// and other streams do not wait for it.
DeviceBuffer on_device(std::span<const std::byte> bytes, const Stream& stream) {
    DeviceBuffer buffer(bytes.size(), "a test");
    check(cudaMemcpyAsync(buffer.data(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream.get()),
          "copying");
    stream.synchronize("copying");
    return buffer;
}

DeviceBuffer tensor_on_device(const std::vector<float>& values, const TensorShape& shape, DataType type,
                              const Stream& stream) {
    std::vector<std::byte> bytes(shape.bytes(type));
    to_nhwc(values, shape, type, bytes);
    return on_device(bytes, stream);
}

// The layer's output for these tensors, NCHW.
std::vector<float> run(CudaLayer& layer, const LayerContext& context, const LayerWeights& weights,
                       const std::vector<std::vector<float>>& inputs, const std::vector<float>& residual) {
    const Stream stream;
    std::vector<std::byte> packed(layer.weight_bytes());
    layer.pack_weights(weights, packed);
    const DeviceBuffer weights_there = on_device(packed, stream);
    std::vector<DeviceBuffer> inputs_there;
    std::vector<DataInput> data_inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const TensorShape input = input_shape(context.layer, context.batch, static_cast<int>(i));
        inputs_there.push_back(tensor_on_device(inputs[i], input, context.type, stream));
        data_inputs.push_back({inputs_there.back().data(), input.channels});
    }
    const TensorShape shape = output_shape(context.layer, context.batch);
    DeviceBuffer residual_there;
    if (!residual.empty()) residual_there = tensor_on_device(residual, shape, context.type, stream);
    const DeviceBuffer workspace(layer.workspace_bytes(), "a test");
    std::vector<std::byte> bytes(shape.bytes(context.type), std::byte{0xff});  // not-a-numbers
    const DeviceBuffer output = on_device(bytes, stream);

    layer.launch({inputs_there.front().data(), residual_there.data(), output.data(), weights_there.data(),
                  workspace.data(), data_inputs},
                 stream.get());
    stream.synchronize("running " + layer.implementation());
    check(cudaMemcpy(bytes.data(), output.data(), bytes.size(), cudaMemcpyDeviceToHost), "copying");
    return to_nchw(bytes, shape, context.type);
}

// A layer with random tensors, and what it makes of them.
class Example {
public:
    Example(const LayerContext& context, std::uint64_t seed)
        : context_(context), weights_(random_weights(context.layer, seed)) {
        const LayerSpec& layer = context.layer;
        std::vector<std::vector<double>> tensors;
        for (int i = 0; i < layer.inputs; ++i) {
            inputs_.push_back(random_values(input_shape(layer, context.batch, i).elements(), seed + 1 + i));
            tensors.emplace_back(inputs_.back().begin(), inputs_.back().end());
        }
        if (layer.residual) {
            residual_ = random_values(output_shape(layer, context.batch).elements(), seed + 2);
            tensors.emplace_back(residual_.begin(), residual_.end());
        }
        ReferenceInputs read;
        for (const std::vector<double>& tensor : tensors) read.push_back(&tensor);
        expected_ = reference_layer(layer, context.batch, read, weights_);
    }

    void expect_right(CudaLayer& candidate) const {
        EXPECT_LT(relative_error(run(candidate, context_, weights_, inputs_, residual_), expected_),
                  hacscale::testing::layer_tolerance(context_.type))
            << context_.layer.key() << " batch " << context_.batch << " by " << candidate.implementation();
    }

private:
    LayerContext context_;
    LayerWeights weights_;
    std::vector<std::vector<float>> inputs_;
    std::vector<float> residual_;
    std::vector<double> expected_;
};

void expect_plans_right(const LayerContext& context, std::uint64_t seed) {
    const Example example(context, seed);
    std::string reason;
    const auto candidates = cudnn_candidates(context, 6, &reason);
    ASSERT_FALSE(candidates.empty()) << context.layer.key() << ": " << reason;
    for (const auto& candidate : candidates) {
        example.expect_right(*candidate);
        example.expect_right(*cudnn_layer_from_plan(context, serialized_plan(*candidate)));
    }
}

class GpuCandidates : public hacscale::testing::GpuTest, public ::testing::WithParamInterface<DataType> {
protected:
    void SetUp() override {
        GpuTest::SetUp();
        if (IsSkipped()) return;
        context.type = GetParam();
        context.device = cuda_device(device()).traits;
        use_device(context.device.index);
        if (const std::string reason = backend().unsupported_reason(device(), context.type);
            !reason.empty()) {
            GTEST_SKIP() << "skipped: " << reason;
        }
    }
    LayerContext context;
};

// Depthwise convs have the most variants, and those for much work need a layer with much of it.
TEST_P(GpuCandidates, OwnDepthwiseKernelsEqualTheReference) {
    std::uint64_t seed = 500;
    for (const char* conv :
         {"conv_i144x29x30_o144_k3_s1_p1_g144_bias_relu", "conv_i96x30x29_o96_k3_s2_p1_g96_bias_silu",
          "conv_i120x14x14_o120_k5_s1_p2_g120_bias_add_silu", "conv_i240x19x18_o240_k5_s2_p2_g240_bias"}) {
        context.layer = LayerSpec::from_key(conv);
        for (const int batch : {1, hacscale::testing::times(24, 2)}) {
            context.batch = batch;
            const Example example(context, seed += 3);
            for (const auto& candidate : handwritten_candidates(context)) example.expect_right(*candidate);
        }
    }
}

// In one launch, two and three; many channels, many positions, and channels that fill no vector.
TEST_P(GpuCandidates, OwnSqueezeExciteKernelsEqualTheReference) {
    std::uint64_t seed = 700;
    struct Shape {
        int channels, size, squeeze;
    };
    for (const Shape& shape : {Shape{1152, 7, 48}, Shape{144, 28, 6}, Shape{32, 56, 8}, Shape{61, 9, 100}}) {
        LayerSpec layer;
        layer.kind = LayerKind::squeeze_excite;
        layer.in_channels = layer.out_channels = shape.channels;
        layer.in_height = layer.in_width = shape.size;
        layer.squeeze_channels = shape.squeeze;
        layer.activation = Activation::silu;
        layer.gate = Activation::sigmoid;
        context.layer = layer;
        for (const int batch : {1, hacscale::testing::times(24, 2)}) {
            context.batch = batch;
            const Example example(context, seed += 3);
            const auto candidates = handwritten_candidates(context);
            if (context.device.compute_capability >= 90) {
                EXPECT_GE(candidates.size(), 4U);
            }
            for (const auto& candidate : candidates) example.expect_right(*candidate);
        }
    }
}

TEST_P(GpuCandidates, PlansOfCudnnEqualTheReference) {
    std::uint64_t seed = 900;
    for (const LayerKind kind : {LayerKind::conv, LayerKind::linear}) {
        for (LayerSpec layer : hacscale::testing::layer_family(kind, kind == LayerKind::conv ? 24 : 6, 11)) {
            // One output may be next to zero, where a relative error says nothing of the kernel.
            if (output_shape(layer, 1).elements() == 1) continue;
            layer.layout = Layout::channels_last;
            context.layer = layer;
            context.batch = static_cast<int>(1 + seed % 3);
            expect_plans_right(context, seed += 3);
        }
    }
    for (std::size_t activation = 1; activation < activation_names.size(); ++activation) {
        for (const char* conv :
             {"conv_i64x14x14_o64_k3_s1_p1_g1_bias_add", "conv_i64x14x14_o64_k3_s1_p1_g64_bias"}) {
            context.layer = LayerSpec::from_key(conv);
            context.layer.activation = static_cast<Activation>(activation);
            // cuDNN compiles their plans at run time, which takes long.
            if (context.layer.activation > Activation::hard_sigmoid && context.layer.depthwise()) continue;
            context.layer.alpha = 3.0F * usual_alpha(context.layer.activation);
            context.batch = 2;
            expect_plans_right(context, seed += 3);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Types, GpuCandidates, ::testing::ValuesIn(cuda::data_types),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

}  // namespace
}  // namespace hacscale::cuda
