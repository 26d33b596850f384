// The depthwise conv for matrix units: where it is offered, and what it makes of extreme inputs. That it equals the
// reference is tested with all other hand-written layers (handwritten_test.cpp).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/cuda/device/handwritten.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/cuda/device_buffers.hpp"

namespace hacscale::cuda {
namespace {

using testing::Buffer;

LayerContext context_of(const char* key, DataType type, int compute_capability = 80) {
    LayerContext context{LayerSpec::from_key(key), 1, type, {}};
    context.device.multiprocessors = 4;
    context.device.compute_capability = compute_capability;
    return context;
}

std::unique_ptr<CudaLayer> tensor_layer(const LayerContext& context) {
    for (auto& candidate : handwritten_candidates(context)) {
        if (candidate->implementation().find(" tensor") != std::string::npos) return std::move(candidate);
    }
    return nullptr;
}

// NCHW, as `input`.
std::vector<float> run(CudaLayer& layer, const LayerContext& context, const std::vector<float>& input,
                       const LayerWeights& weights) {
    const LayerSpec& spec = context.layer;
    const std::size_t out =
        static_cast<std::size_t>(spec.out_channels) * spec.out_height() * spec.out_width();
    Buffer device_input = testing::channels_last(input, 1, spec.in_channels, context.type);
    Buffer packed(layer.weight_bytes());
    layer.pack_weights(weights, packed.span());
    Buffer output(out * size_of(context.type));
    layer.launch({device_input.data(), nullptr, output.data(), packed.data(), nullptr}, nullptr);
    return testing::dense_nchw(output, out, 1, spec.out_channels, context.type);
}

TEST(DepthwiseTensor, IsOfferedWhereTheDeviceHasItsInstructions) {
    const char* const key = "conv_i32x8x8_o32_k3_s1_p1_g32_bias_relu";
    for (const DataType type : {DataType::f16, DataType::bf16}) {
        EXPECT_NE(tensor_layer(context_of(key, type, 80)), nullptr);
        EXPECT_NE(tensor_layer(context_of(key, type, 120)), nullptr);
        EXPECT_EQ(tensor_layer(context_of(key, type, 75)), nullptr);
    }
    EXPECT_EQ(tensor_layer(context_of(key, DataType::f32)), nullptr);
    EXPECT_EQ(tensor_layer(context_of(key, DataType::tf32)), nullptr);
    for (const char* other : {"conv_i36x8x8_o36_k3_s1_p1_g36_bias", "conv_i32x8x8_o32_k7_s1_p3_g32_bias",
                              "conv_i32x9x9_o32_k3_s3_p1_g32_bias"}) {
        EXPECT_EQ(tensor_layer(context_of(other, DataType::f16)), nullptr) << other;
    }
}

TEST(DepthwiseTensor, TakesInputsUpToTheGreatestOfTheType) {
    for (const DataType type : {DataType::f16, DataType::bf16}) {
        for (const char* key :
             {"conv_i24x9x10_o24_k3_s1_p1_g24_bias", "conv_i24x9x10_o24_k5_s2_p2_g24_bias"}) {
            const LayerContext context = context_of(key, type);
            const LayerSpec& spec = context.layer;
            std::vector<float> input(static_cast<std::size_t>(spec.in_channels) * spec.in_height *
                                     spec.in_width);
            const float greatest = type == DataType::f16 ? 65504.0F : 1e37F;
            for (std::size_t i = 0; i < input.size(); ++i) input[i] = i % 3 == 0 ? -greatest : greatest;
            LayerWeights weights = random_weights(spec, 3);
            for (float& weight : weights.weights) weight *= 0.02F;  // so that sums stay in f16's range
            weights.weights = testing::rounded(weights.weights, type);
            const auto layer = tensor_layer(context);
            ASSERT_NE(layer, nullptr);
            const auto expected = reference_layer(spec, 1, {input.begin(), input.end()}, {}, weights);
            EXPECT_LT(relative_error(run(*layer, context, input, weights), expected), 1e-2)
                << key << " " << name_of(type);
        }
    }
}

// Zero times infinity is not a number: the eight channels of a vector are multiplied together. No other output may
// be changed, and none of those that should not be finite may be.
TEST(DepthwiseTensor, SpoilsOneVectorOfTheWindowsWithAnInfiniteInput) {
    constexpr int channels = 32;
    constexpr int side = 12;
    constexpr int channel = 13;
    constexpr int row = 5;
    constexpr int column = 8;
    const LayerContext context = context_of("conv_i32x12x12_o32_k3_s1_p1_g32_bias", DataType::f16);
    const LayerWeights weights = random_weights(context.layer, 4);
    std::vector<float> input = testing::rounded(random_values(channels * side * side, 5), DataType::f16);
    const auto layer = tensor_layer(context);
    ASSERT_NE(layer, nullptr);
    const std::vector<float> before = run(*layer, context, input, weights);
    for (const float value :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        input[(channel * side + row) * side + column] = value;
        const std::vector<float> after = run(*layer, context, input, weights);
        for (int c = 0; c < channels; ++c) {
            for (int y = 0; y < side; ++y) {
                for (int x = 0; x < side; ++x) {
                    const std::size_t i = (static_cast<std::size_t>(c) * side + y) * side + x;
                    // A pair of taps, or the last of a row, is multiplied together, too; a tap beyond the window
                    // is none.
                    const bool window = std::abs(y - row) <= 1 && std::abs(x - column) <= 1;
                    if (window && c / 8 == channel / 8) {
                        EXPECT_FALSE(std::isfinite(after[i])) << c << ", " << y << ", " << x;
                    } else {
                        EXPECT_EQ(after[i], before[i]) << c << ", " << y << ", " << x;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace hacscale::cuda
