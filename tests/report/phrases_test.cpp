#include "report/sections/phrases.hpp"

#include <gtest/gtest.h>

namespace hacscale::report {
namespace {

TEST(LayerKey, SaysKindAndWidth) {
    EXPECT_EQ(layer_kind("conv_i32x56x56_o64_k1_s1_p0_g1_bias_relu6"), "conv");
    EXPECT_EQ(layer_kind("conv_i48x32x32_o48_k3_s1_p1_g48_bias_relu6"), "depthwise conv");
    EXPECT_EQ(layer_kind("conv_i64x32x32_o128_k3_s1_p1_g4_bias"), "grouped conv");
    EXPECT_EQ(layer_kind("squeeze_excite_i64x28x28_r16_relu_sigmoid"), "squeeze excite");
    EXPECT_EQ(layer_kind("global_avg_pool_i64x7x7"), "global avg pool");
    EXPECT_EQ(layer_width("conv_i32x56x56_o64_k1_s1_p0_g1_bias_relu6"), 64);
    EXPECT_EQ(layer_width("global_avg_pool_i96x7x7"), 96);
}

TEST(LayerKey, AnUnknownKeyIsItsOwnKind) {
    EXPECT_EQ(layer_kind("something else"), "something else");
    EXPECT_EQ(layer_kind("with_input"), "with input");
    EXPECT_EQ(layer_width("something else"), std::nullopt);
    EXPECT_EQ(layer_kind(""), "");
}

}  // namespace
}  // namespace hacscale::report
