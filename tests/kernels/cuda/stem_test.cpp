// First convs, run on the CPU, against the double-precision reference.
#include "kernels/cuda/device/stem.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/kernels/cuda/candidate_check.hpp"

namespace hacscale::cuda {
namespace {

LayerContext stem_context(const std::string& key, DataType type, int batch = 1) {
    LayerContext context{LayerSpec::from_key(key), batch, type, {}};
    context.device.multiprocessors = 132;
    context.device.compute_capability = 90;
    return context;
}

class Stem : public ::testing::TestWithParam<DataType> {};

TEST_P(Stem, EqualsTheReference) {
    std::uint64_t seed = 20;
    for (const char* key : {
             "conv_i3x40x38_o64_k7_s2_p3_g1_bias_relu",
             "conv_i3x37x35_o24_k7_s2_p3_g1_silu",  // tiles and outputs have rests, no bias
             "conv_i3x20x19_o32_k3_s2_p1_g1_bias_relu6", "conv_i3x33x18_o40_k3_s2_p0_g1_bias_hard_swish",
             "conv_i3x17x16_o16_k3_s1_p1_g1_bias_relu",
             "conv_i3x3x3_o8_k3_s1_p2_g1_bias",  // smaller than a tile, much padding
         }) {
        for (const int batch : {1, 3}) {
            const auto names = testing::check_candidates(stem_context(key, GetParam(), batch), seed++);
            ASSERT_EQ(names.size(), 1U) << key;
            EXPECT_TRUE(names.front().starts_with("hacscale stem ")) << names.front();
        }
    }
}

// The element that fills a row of the window up is a neighbour's, and is not looked at.
TEST_P(Stem, WhatLiesBesideAWindowDoesNotCount) {
    const LayerContext context = stem_context("conv_i3x16x16_o8_k3_s2_p0_g1_bias", GetParam());
    testing::LayerExample example(context, 3);
    constexpr std::size_t row = 16;
    for (std::size_t y = 0; y < row; ++y)
        example.inputs.front()[y * row + 3] = std::numeric_limits<float>::infinity();
    const auto layer = std::move(handwritten_candidates(context).front());
    const std::vector<float> output = testing::run_candidate(*layer, context, example);
    constexpr std::size_t out = 7;
    for (std::size_t i = 0; i < output.size(); ++i) {
        // Column 3 is in the windows of the second position (2 to 4) only; right of the first one's (0 to 2).
        EXPECT_EQ(std::isfinite(output[i]), i % out != 1) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Types, Stem, ::testing::Values(DataType::f16, DataType::bf16),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(StemLayers, AreForThreeChannelsOnMatrixUnits) {
    const std::string key = "conv_i3x32x32_o16_k3_s1_p1_g1_bias_relu";
    EXPECT_FALSE(handwritten_candidates(stem_context(key, DataType::f16)).empty());
    EXPECT_TRUE(handwritten_candidates(stem_context(key, DataType::f32)).empty());
    for (const char* other :
         {"conv_i3x32x32_o16_k5_s1_p1_g1_bias", "conv_i3x32x32_o16_k7_s1_p1_g1_bias",
          "conv_i3x32x32_o12_k3_s1_p1_g1_bias", "conv_i3x32x32_o16_k3_s1_p1_g1_bias_add"}) {
        EXPECT_TRUE(handwritten_candidates(stem_context(other, DataType::f16)).empty()) << other;
    }
    LayerContext turing = stem_context(key, DataType::f16);
    turing.device.compute_capability = 75;
    EXPECT_TRUE(handwritten_candidates(turing).empty());
}

}  // namespace
}  // namespace hacscale::cuda
