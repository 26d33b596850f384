#include "models/ops/layer_spec.hpp"

#include <gtest/gtest.h>

#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

// Multiplies counted one by one, as a direct convolution performs them, padding included.
std::int64_t count_multiplies(const LayerSpec& layer) {
    std::int64_t count = 0;
    for (int out = 0; out < layer.out_channels; ++out) {
        for (int y = 0; y < layer.out_height(); ++y) {
            for (int x = 0; x < layer.out_width(); ++x) {
                for (int in = 0; in < layer.in_channels; ++in) {
                    const bool same_group =
                        in / (layer.in_channels / layer.groups) == out / (layer.out_channels / layer.groups);
                    if (same_group) count += std::int64_t{layer.window.kernel[0]} * layer.window.kernel[1];
                }
            }
        }
    }
    return count;
}

TEST(LayerCost, ConvMacsAreTheMultipliesOfADirectConvolution) {
    testing::Generator generate(1);
    for (int i = 0; i < 300;) {
        LayerSpec layer = generate.layer();
        if (layer.kind != LayerKind::conv) continue;
        layer.in_height = std::min(layer.in_height, 12);
        layer.in_width = std::min(layer.in_width, 12);
        ASSERT_EQ(cost_of(layer, 1, DataType::f32).macs, count_multiplies(layer)) << layer.key();
        ++i;
    }
}

TEST(LayerCost, KnownLayers) {
    const auto cost = [](const char* key) { return cost_of(LayerSpec::from_key(key), 1, DataType::f32); };
    const LayerCost conv = cost("conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu");
    EXPECT_EQ(conv.macs, 115'605'504);
    EXPECT_EQ(conv.params, 36'928);
    EXPECT_EQ(conv.activations, 200'704);
    EXPECT_EQ(conv.bytes, 4 * (3 * 200'704 + 36'928));  // input, residual and output have one size
    EXPECT_EQ(conv.flops(), 2 * conv.macs);

    const LayerCost linear = cost("linear_i512x7x7_o4096_bias_relu");
    EXPECT_EQ(linear.macs, 102'760'448);
    EXPECT_EQ(linear.params, 102'764'544);

    const LayerCost squeeze = cost("squeeze_excite_i96x14x14_r24_silu_sigmoid");
    EXPECT_EQ(squeeze.macs, 2 * 96 * 24);
    EXPECT_EQ(squeeze.params, 2 * 96 * 24 + 96 + 24);
    EXPECT_EQ(squeeze.activations, 96 * 14 * 14);

    const LayerCost norm = cost("scale_shift_i16x32x32_relu");
    EXPECT_EQ(norm.macs, 0);
    EXPECT_EQ(norm.params, 32);

    const LayerCost pool = cost("max_pool_i64x112x112_k3_s2_p1");
    EXPECT_EQ(pool.macs, 0);
    EXPECT_EQ(pool.params, 0);
    EXPECT_EQ(pool.activations, 64 * 56 * 56);
    EXPECT_EQ(cost("global_avg_pool_i512x7x7").activations, 512);
}

TEST(LayerCost, WorkGrowsWithTheBatchAndWeightsDoNot) {
    testing::Generator generate(2);
    for (int i = 0; i < 2'000; ++i) {
        const LayerSpec layer = generate.layer();
        const LayerCost one = cost_of(layer, 1, DataType::f32);
        const LayerCost seven = cost_of(layer, 7, DataType::f32);
        const LayerCost half = cost_of(layer, 7, DataType::bf16);
        ASSERT_EQ(seven.macs, 7 * one.macs);
        ASSERT_EQ(seven.activations, 7 * one.activations);
        ASSERT_EQ(seven.params, one.params);
        ASSERT_EQ(seven.bytes - 4 * one.params, 7 * (one.bytes - 4 * one.params));
        ASSERT_EQ(2 * half.bytes, seven.bytes);
        ASSERT_GT(one.bytes, 0);
    }
}

TEST(LayerCost, Adds) {
    LayerCost sum{1, 2, 3, 4};
    sum += LayerCost{10, 20, 30, 40};
    EXPECT_EQ(sum.macs, 11);
    EXPECT_EQ(sum.params, 22);
    EXPECT_EQ(sum.activations, 33);
    EXPECT_EQ(sum.bytes, 44);
}

TEST(LayerCost, TheLargestLayerThatIsAllowedDoesNotOverflow) {
    LayerSpec layer;
    layer.in_channels = 1024;
    layer.out_channels = 1024;
    layer.in_height = layer.in_width = 1024;
    ASSERT_FALSE(validate(layer)) << *validate(layer);
    EXPECT_EQ(cost_of(layer, 1, DataType::f32).macs, std::int64_t{1} << 40);
    layer.out_channels = 1025;
    EXPECT_TRUE(validate(layer));
}

}  // namespace
}  // namespace hacscale
