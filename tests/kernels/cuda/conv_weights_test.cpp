#include "kernels/cuda/cudnn/conv_weights.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <gtest/gtest.h>

#include <cstring>

namespace hacscale::cuda {
namespace {

std::vector<std::byte> pack(const LayerSpec& layer, DataType type, BiasType bias,
                            const LayerWeights& weights) {
    std::vector<std::byte> packed(weight_layout(layer, type, bias).bytes, std::byte{0xff});
    pack_conv_weights(layer, type, bias, weights, packed);
    return packed;
}

template <typename T>
T element(const std::vector<std::byte>& packed, std::size_t offset, std::size_t index) {
    T value;
    std::memcpy(&value, packed.data() + offset + index * sizeof(T), sizeof(T));
    return value;
}

// out, in/groups, height, width -> out, height, width, in/groups
void expect_krsc(const LayerSpec& layer, int outputs, int channels, int window) {
    const LayerWeights weights = random_weights(layer, 3);
    const auto packed = pack(layer, DataType::f32, BiasType::as_data, weights);
    const auto layout = weight_layout(layer, DataType::f32, BiasType::as_data);
    for (int o = 0; o < outputs; ++o) {
        for (int c = 0; c < channels; ++c) {
            for (int at = 0; at < window; ++at) {
                const auto from = static_cast<std::size_t>((o * channels + c) * window + at);
                const auto to = static_cast<std::size_t>((o * window + at) * channels + c);
                ASSERT_EQ(element<float>(packed, 0, to), weights.weights[from]) << layer.key();
            }
        }
        const auto index = static_cast<std::size_t>(o);
        EXPECT_EQ(element<float>(packed, layout.bias_offset, index), weights.bias[index]);
    }
}

TEST(ConvWeights, AreChannelsLastForDenseGroupedAndDepthwiseConvs) {
    expect_krsc(LayerSpec::from_key("conv_i6x8x8_o10_k3_s1_p1_g1_bias"), 10, 6, 9);
    expect_krsc(LayerSpec::from_key("conv_i8x8x8_o12_k5_s2_p2_g4_bias"), 12, 2, 25);
    expect_krsc(LayerSpec::from_key("conv_i8x8x8_o8_k3_s1_p1_g8_bias"), 8, 1, 9);
}

TEST(ConvWeights, OfALinearLayerAreAConvOverTheWholeInput) {
    expect_krsc(LayerSpec::from_key("linear_i4x3x2_o5_bias"), 5, 4, 6);
}

TEST(ConvWeights, AreRoundedToTheDataType) {
    const auto layer = LayerSpec::from_key("conv_i4x8x8_o3_k1_s1_p0_g1_bias");
    const LayerWeights weights = random_weights(layer, 5);
    const auto half = pack(layer, DataType::f16, BiasType::as_data, weights);
    const auto bfloat = pack(layer, DataType::bf16, BiasType::f32, weights);
    for (std::size_t i = 0; i < weights.weights.size(); ++i) {
        EXPECT_NEAR(__half2float(element<__half>(half, 0, i)), weights.weights[i], 1e-3);
        EXPECT_NEAR(__bfloat162float(element<__nv_bfloat16>(bfloat, 0, i)), weights.weights[i], 1e-2);
    }
    const auto half_bias = weight_layout(layer, DataType::f16, BiasType::as_data).bias_offset;
    const auto f32_bias = weight_layout(layer, DataType::bf16, BiasType::f32).bias_offset;
    EXPECT_EQ(half_bias % 256, 0U);
    for (std::size_t i = 0; i < weights.bias.size(); ++i) {
        EXPECT_NEAR(__half2float(element<__half>(half, half_bias, i)), weights.bias[i], 1e-3);
        EXPECT_EQ(element<float>(bfloat, f32_bias, i), weights.bias[i]);
    }
}

TEST(ConvWeights, ALayerWithoutABiasHasOneOfZerosOrNone) {
    const auto layer = LayerSpec::from_key("conv_i4x8x8_o3_k1_s1_p0_g1_relu");
    const LayerWeights weights = random_weights(layer, 7);
    const auto packed = pack(layer, DataType::f32, BiasType::as_data, weights);
    const auto offset = weight_layout(layer, DataType::f32, BiasType::as_data).bias_offset;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(element<float>(packed, offset, i), 0.0F);
    EXPECT_EQ(weight_layout(layer, DataType::f32, BiasType::none).bytes, 12 * sizeof(float));
}

}  // namespace
}  // namespace hacscale::cuda
