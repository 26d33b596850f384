#include "kernels/cuda/host_tensor.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "models/ops/layer_weights.hpp"

namespace hacscale::cuda {
namespace {

// The number that an f16 or bf16 bit pattern stands for, from the formats' definitions.
double value_of(std::uint16_t bits, int exponent_bits, int mantissa_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
    const int mantissa = bits & ((1 << mantissa_bits) - 1);
    const double sign = bits >> 15 != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1) {
        return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    }
    const double fraction = std::ldexp(mantissa, -mantissa_bits);
    return sign *
           (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias));
}

double f16_value(std::uint16_t bits) {
    return value_of(bits, 5, 10);
}
double bf16_value(std::uint16_t bits) {
    return value_of(bits, 8, 7);
}

std::uint16_t bits_at(const std::vector<std::byte>& bytes, std::size_t element) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * element, 2);
    return bits;
}

TEST(HostTensor, LiesAsTheObviousLoopsSay) {
    std::mt19937_64 generator(3);
    for (int round = 0; round < 50; ++round) {
        const auto pick = [&](int most) { return 1 + static_cast<int>(generator() % most); };
        const TensorShape shape{pick(3), pick(20), pick(9), pick(9)};
        const std::vector<float> nchw = random_values(shape.elements(), generator());
        std::vector<std::byte> bytes(shape.bytes(DataType::f32));
        to_nhwc(nchw, shape, DataType::f32, bytes);
        std::vector<float> nhwc(shape.elements());
        std::memcpy(nhwc.data(), bytes.data(), bytes.size());
        std::size_t at = 0;
        for (int n = 0; n < shape.batch; ++n) {
            for (int h = 0; h < shape.height; ++h) {
                for (int w = 0; w < shape.width; ++w) {
                    for (int c = 0; c < shape.channels; ++c, ++at) {
                        ASSERT_EQ(nhwc[at],
                                  nchw[((n * shape.channels + c) * shape.height + h) * shape.width + w]);
                    }
                }
            }
        }
        EXPECT_EQ(to_nchw(bytes, shape, DataType::f32), nchw);
    }
}

TEST(HostTensor, KeepsEveryHalfPrecisionNumber) {
    for (const DataType type : {DataType::f16, DataType::bf16}) {
        const TensorShape shape{1, 65536, 1, 1};
        std::vector<float> values;
        for (int bits = 0; bits < 65536; ++bits) {
            const auto pattern = static_cast<std::uint16_t>(bits);
            values.push_back(
                static_cast<float>(type == DataType::f16 ? f16_value(pattern) : bf16_value(pattern)));
        }
        std::vector<std::byte> bytes(shape.bytes(type));
        to_nhwc(values, shape, type, bytes);
        const std::vector<float> back = to_nchw(bytes, shape, type);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (std::isnan(values[i])) {
                ASSERT_TRUE(std::isnan(back[i])) << i;
                continue;
            }
            ASSERT_EQ(bits_at(bytes, i), i) << name_of(type);
            ASSERT_EQ(back[i], values[i]) << name_of(type);
        }
    }
}

// Against the definition: of the two neighbouring numbers the nearer one, at a tie the one with an even
// mantissa.
TEST(HostTensor, RoundsToNearestEven) {
    for (const DataType type : {DataType::f16, DataType::bf16}) {
        const auto value = [&](std::uint16_t bits) {
            return type == DataType::f16 ? f16_value(bits) : bf16_value(bits);
        };
        std::mt19937_64 generator(5);
        const TensorShape shape{1, 4, 1, 1};
        for (int round = 0; round < 5000; ++round) {
            const auto low =
                static_cast<std::uint16_t>(generator() % (type == DataType::f16 ? 0x7BFF : 0x7F7F));
            const auto high = static_cast<std::uint16_t>(low + 1);
            const double below = value(low);
            const double gap = value(high) - below;
            const std::vector<float> values{
                static_cast<float>(below + 0.25 * gap), static_cast<float>(below + 0.5 * gap),
                static_cast<float>(below + 0.75 * gap), static_cast<float>(-(below + 0.5 * gap))};
            // Between the smallest numbers of bf16 there are no floats to round.
            if (static_cast<double>(values[0]) != below + 0.25 * gap) continue;
            std::vector<std::byte> bytes(shape.bytes(type));
            to_nhwc(values, shape, type, bytes);
            const std::uint16_t even = low % 2 == 0 ? low : high;
            ASSERT_EQ(bits_at(bytes, 0), low);
            ASSERT_EQ(bits_at(bytes, 1), even);
            ASSERT_EQ(bits_at(bytes, 2), high);
            ASSERT_EQ(bits_at(bytes, 3), even | 0x8000);
        }
    }
}

TEST(HostTensor, NumbersTooLargeForF16BecomeInfinite) {
    const TensorShape shape{1, 2, 1, 1};
    std::vector<std::byte> bytes(shape.bytes(DataType::f16));
    to_nhwc(std::vector<float>{65520.0F, -1e30F}, shape, DataType::f16, bytes);
    EXPECT_EQ(bits_at(bytes, 0), 0x7C00);
    EXPECT_EQ(bits_at(bytes, 1), 0xFC00);
}

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
