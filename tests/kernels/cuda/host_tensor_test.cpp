#include "kernels/cuda/host_tensor.hpp"

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

}  // namespace
}  // namespace hacscale::cuda
