// Activations written to and read from the CPU's layouts, and the bf16 number.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "kernels/cpu/tensor.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::cpu {
namespace {

using Order = TensorShape::Order;

std::vector<TensorShape> odd_shapes() {
    std::vector<TensorShape> shapes;
    for (const Order order : {Order::channels_last, Order::blocked, Order::plain}) {
        for (const int channels : {1, 3, 15, 16, 17, 33}) {
            for (const auto& [height, width] : {std::pair{1, 1}, std::pair{5, 3}, std::pair{1, 7}}) {
                for (const int batch : {1, 3}) shapes.push_back({batch, channels, height, width, order});
            }
        }
    }
    return shapes;
}

std::vector<float> values_for(const TensorShape& shape) {
    return random_values(static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width,
                         4);
}

float element(const std::vector<std::byte>& data, std::size_t index, DataType type) {
    if (type == DataType::f32) {
        float value = 0.0F;
        std::memcpy(&value, &data[index * sizeof(float)], sizeof(float));
        return value;
    }
    BFloat16 value;
    std::memcpy(&value, &data[index * sizeof(BFloat16)], sizeof(BFloat16));
    return static_cast<float>(value);
}

TEST(Tensor, ComesBackAsItWasWritten) {
    for (const TensorShape& shape : odd_shapes()) {
        const std::vector<float> values = values_for(shape);
        for (const DataType type : {DataType::f32, DataType::bf16}) {
            std::vector<std::byte> data(shape.bytes(type), std::byte{0xFF});
            write_tensor(values, shape, type, data.data());
            std::vector<float> expected = values;
            if (type == DataType::bf16) {
                for (float& value : expected) value = static_cast<float>(BFloat16(value));
            }
            EXPECT_EQ(read_tensor(data.data(), shape, type), expected);
        }
    }
}

TEST(Tensor, EachElementHasItsPlaceAndPaddingIsZero) {
    for (const TensorShape& shape : odd_shapes()) {
        for (const DataType type : {DataType::f32, DataType::bf16}) {
            std::vector<std::byte> data(shape.bytes(type), std::byte{0xFF});
            write_tensor(values_for(shape), shape, type, data.data());
            std::set<std::size_t> places;
            for (int n = 0; n < shape.batch; ++n) {
                for (int c = 0; c < shape.padded_channels(); ++c) {
                    for (int h = 0; h < shape.height; ++h) {
                        for (int w = 0; w < shape.width; ++w) {
                            const std::size_t place = shape.index(n, c, h, w);
                            places.insert(place);
                            if (c >= shape.channels) {
                                EXPECT_EQ(element(data, place, type), 0.0F);
                            }
                        }
                    }
                }
            }
            EXPECT_EQ(places.size(), shape.elements());
            EXPECT_EQ(*places.rbegin() + 1, shape.elements());
        }
    }
}

TEST(Tensor, OrdersAreWhatTheirNamesSay) {
    // Two images of 17 channels, 2 x 3 pixels.
    EXPECT_EQ((TensorShape{2, 17, 2, 3, Order::channels_last}.index(1, 4, 1, 2)),
              ((1u * 2 + 1) * 3 + 2) * 17 + 4);
    EXPECT_EQ((TensorShape{2, 17, 2, 3, Order::plain}.index(1, 4, 1, 2)), ((1u * 17 + 4) * 2 + 1) * 3 + 2);
    EXPECT_EQ((TensorShape{2, 17, 2, 3, Order::blocked}.index(1, 16, 1, 2)),
              (((1u * 2 + 1) * 2 + 1) * 3 + 2) * 16);
    EXPECT_EQ((TensorShape{2, 17, 2, 3, Order::blocked}.elements()), 2u * 32 * 2 * 3);
}

TEST(Buffer, IsAlignedAndMayBeEmpty) {
    EXPECT_EQ(Buffer(0).size(), 0u);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{3} << 20}) {
        const Buffer buffer(bytes);
        EXPECT_EQ(buffer.size(), bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
    }
}

TEST(Buffer, SurvivesEvictionUnchanged) {
    Buffer buffer(1000);
    std::memset(buffer.data(), 7, buffer.size());
    evict(buffer.data(), buffer.size());
    touch(buffer.data(), buffer.size());
    for (std::size_t i = 0; i < buffer.size(); ++i) EXPECT_EQ(buffer.data()[i], std::byte{7});
}

std::uint16_t rounded(std::uint32_t word) {
    return BFloat16(std::bit_cast<float>(word)).bits;
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
    EXPECT_EQ(rounded(0x3F800000), 0x3F80);  // 1
    EXPECT_EQ(rounded(0x3F807FFF), 0x3F80);  // just under half-way
    EXPECT_EQ(rounded(0x3F808000), 0x3F80);  // half-way, even below
    EXPECT_EQ(rounded(0x3F808001), 0x3F81);  // just over
    EXPECT_EQ(rounded(0x3F818000), 0x3F82);  // half-way, even above
    EXPECT_EQ(rounded(0xBF818000), 0xBF82);  // the sign changes nothing
    EXPECT_EQ(rounded(0x3FFFFFFF), 0x4000);  // carries into the exponent
    EXPECT_EQ(rounded(0x00000000), 0x0000);
    EXPECT_EQ(rounded(0x80000000), 0x8000);
}

TEST(BFloat16, KeepsInfinitiesAndNotANumbers) {
    EXPECT_EQ(rounded(0x7F800000), 0x7F80);
    EXPECT_EQ(rounded(0xFF800000), 0xFF80);
    EXPECT_EQ(rounded(0x7F7FFFFF), 0x7F80) << "the greatest f32 is nearer to infinity";
    // Payloads that are in the lower half alone would turn into infinity if they were cut off.
    for (const std::uint32_t word : {0x7FC00000U, 0x7F800001U, 0xFFFFFFFFU, 0x7FFFFFFFU}) {
        EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(word))))) << std::hex << word;
    }
}

TEST(BFloat16, IsTheNearestOfItsNeighbours) {
    for (const float value : random_values(2000, 8)) {
        const BFloat16 chosen(value);
        const double error = std::abs(static_cast<double>(static_cast<float>(chosen)) - value);
        for (const int step : {-1, 1}) {
            BFloat16 neighbour;
            neighbour.bits = static_cast<std::uint16_t>(chosen.bits + step);
            EXPECT_LE(error, std::abs(static_cast<double>(static_cast<float>(neighbour)) - value)) << value;
        }
    }
}

}  // namespace
}  // namespace hacscale::cpu
