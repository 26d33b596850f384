#include "profiler/table/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "models/ops/layer_spec.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

LayerSpec squeeze_excite(int channels, int squeeze) {
    LayerSpec layer;
    layer.kind = LayerKind::squeeze_excite;
    layer.activation = Activation::relu;
    layer.gate = Activation::sigmoid;
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = layer.in_width = 14;
    layer.squeeze_channels = squeeze;
    return layer;
}

LayerSpec grouped(int in, int out, int groups) {
    LayerSpec layer = conv(in, out);
    layer.groups = groups;
    return layer;
}

TEST(LayerFamily, IsWhatDiffersInChannelsOnly) {
    EXPECT_EQ(family_of(conv(8, 8)), family_of(conv(64, 24)));
    EXPECT_EQ(family_of(depthwise(8)), family_of(depthwise(64)));
    EXPECT_EQ(family_of(grouped(32, 32, 2)), family_of(grouped(64, 64, 4)));
    EXPECT_EQ(family_of(squeeze_excite(32, 8)), family_of(squeeze_excite(64, 4)));
    EXPECT_NE(family_of(conv(8, 8)), family_of(depthwise(8)));
    EXPECT_NE(family_of(conv(8, 8)), family_of(conv(8, 8, 28)));
    EXPECT_NE(family_of(grouped(32, 32, 2)), family_of(grouped(32, 32, 4)));
    EXPECT_NE(family_of(grouped(32, 32, 2)), family_of(grouped(32, 64, 2)));
    LayerSpec blocked = conv(8, 8);
    blocked.layout = Layout::blocked;
    EXPECT_NE(family_of(conv(8, 8)), family_of(blocked));
}

TEST(LayerFamily, KeepsTheFormOfAnOperatorAndLeavesOutWhereASliceBegins) {
    const auto family = [](const char* key) { return family_of(LayerSpec::from_key(key)); };
    EXPECT_EQ(family("slice_i64x14x14_o32_f0"), family("slice_i96x14x14_o24_f48"));
    EXPECT_EQ(family("concat_i64x14x14_n2"), family("concat_i96x14x14_n2"));
    EXPECT_NE(family("concat_i64x14x14_n2"), family("concat_i64x14x14_n3"));
    EXPECT_EQ(family("channel_shuffle_i64x14x14_g2"), family("channel_shuffle_i96x14x14_g2"));
    EXPECT_NE(family("channel_shuffle_i64x14x14_g2"), family("channel_shuffle_i64x14x14_g4"));
    EXPECT_EQ(family("group_norm_i64x14x14_g32_e1e-05"), family("group_norm_i96x14x14_g48_e1e-05"));
    EXPECT_NE(family("group_norm_i64x14x14_g32_e1e-05"), family("group_norm_i64x14x14_g32_e1e-06"));
    EXPECT_EQ(family("transposed_conv_i32x14x14_o32_k2_s2_p0_g2"),
              family("transposed_conv_i64x14x14_o64_k2_s2_p0_g4"));
    EXPECT_NE(family("activation_i64x14x14_leaky_relu_a0.1"), family("activation_i64x14x14_leaky_relu_a0.2"));
    EXPECT_NE(family("resize_i64x14x14_t28_nearest"), family("resize_i64x14x14_t28_bilinear"));
}

TEST(ChannelSurface, InterpolatesLayersThatMoveChannels) {
    ChannelSurface slices;
    slices.add(LayerSpec::from_key("slice_i64x14x14_o16_f0"), 1.0);
    slices.add(LayerSpec::from_key("slice_i64x14x14_o32_f16"), 2.0);
    EXPECT_DOUBLE_EQ(slices.at(LayerSpec::from_key("slice_i64x14x14_o24_f8")).value(), 1.5);
    ChannelSurface concats;
    concats.add(LayerSpec::from_key("concat_i64x14x14_n2"), 1.0);
    concats.add(LayerSpec::from_key("concat_i128x14x14_n2"), 3.0);
    EXPECT_DOUBLE_EQ(concats.at(LayerSpec::from_key("concat_i96x14x14_n2")).value(), 2.0);
}

TEST(ChannelSurface, IsExactAtMeasuredPointsAndWithinTheirBoundsBetween) {
    std::mt19937 random(5);
    for (int round = 0; round < 30; ++round) {
        ChannelSurface surface;
        std::map<LayerSpec, double> measured;
        const int points = 2 + static_cast<int>(random() % 60);
        for (int i = 0; i < points; ++i) {
            const LayerSpec layer =
                conv(8 * static_cast<int>(1 + random() % 12), 8 * static_cast<int>(1 + random() % 12));
            measured[layer] = 1.0 + static_cast<double>(random() % 1000);
            surface.add(layer, measured[layer]);
        }
        const auto [least, greatest] = std::minmax_element(
            measured.begin(), measured.end(), [](auto& a, auto& b) { return a.second < b.second; });
        for (const auto& [layer, latency_us] : measured) EXPECT_EQ(surface.at(layer), latency_us);
        for (int in = 8; in <= 96; in += 8) {
            for (int out = 8; out <= 96; out += 8) {
                const auto latency_us = surface.at(conv(in, out));
                if (!latency_us) continue;
                // A scaled neighbour may leave the bounds by its MACs, at most 1.25 for each of both widths.
                EXPECT_GE(*latency_us, least->second / (1.25 * 1.25) * (1 - 1e-12));
                EXPECT_LE(*latency_us, greatest->second * (1.25 * 1.25) * (1 + 1e-12));
            }
        }
    }
}

TEST(ChannelSurface, IsBilinearInAFullGrid) {
    const auto latency = [](int in, int out) { return 3.0 + 2.0 * in + 5.0 * out + 0.25 * in * out; };
    ChannelSurface surface;
    for (const int in : {16, 32, 64}) {
        for (const int out : {8, 24, 96}) surface.add(conv(in, out), latency(in, out));
    }
    for (int in = 16; in <= 64; ++in) {
        for (int out = 8; out <= 96; ++out) {
            ASSERT_TRUE(surface.at(conv(in, out)));
            EXPECT_NEAR(*surface.at(conv(in, out)), latency(in, out), 1e-9);
        }
    }
}

TEST(ChannelSurface, UsesTheSmallestCell) {
    ChannelSurface surface;
    for (const int in : {8, 512}) {
        for (const int out : {8, 512}) surface.add(conv(in, out), 1000.0);
    }
    for (const int in : {56, 72}) {
        for (const int out : {56, 72}) surface.add(conv(in, out), 10.0);
    }
    EXPECT_EQ(surface.at(conv(64, 64)), 10.0);
    EXPECT_EQ(surface.at(conv(256, 128)), 1000.0);
}

TEST(ChannelSurface, UsesALineWhereThereIsNoRectangle) {
    ChannelSurface surface;
    surface.add(conv(3, 32), 10.0);
    surface.add(conv(3, 64), 20.0);
    EXPECT_EQ(surface.at(conv(3, 48)), 15.0);  // a stem: three input channels, always
    surface.add(conv(32, 16), 10.0);
    surface.add(conv(64, 16), 30.0);
    EXPECT_EQ(surface.at(conv(48, 16)), 20.0);
}

TEST(ChannelSurface, UsesARayOfOneRatio) {
    ChannelSurface surface;
    surface.add(conv(32, 64), 10.0);
    surface.add(conv(64, 128), 30.0);
    EXPECT_EQ(surface.at(conv(48, 96)), 20.0);
    EXPECT_FALSE(surface.at(conv(48, 80)));
    EXPECT_FALSE(surface.at(conv(96, 192)));
}

// Inner widths keep ratios to the widths that they follow, so two columns seldom have one in common.
TEST(ChannelSurface, TakesEachColumnAtItsOwnPoints) {
    const auto latency = [](int in, int out) { return 3.0 + 2.0 * in + 5.0 * out; };
    ChannelSurface surface;
    for (const auto& [in, out] : {std::pair(32, 16), {32, 32}, {32, 48}, {64, 32}, {64, 64}, {64, 96}}) {
        surface.add(conv(in, out), latency(in, out));
    }
    // Inside both columns; and outside one, where the line of the ratio crosses both.
    for (const auto& [in, out] : {std::pair(48, 40), {40, 32}, {48, 24}, {48, 72}, {56, 80}}) {
        ASSERT_TRUE(surface.at(conv(in, out))) << in << " " << out;
        EXPECT_NEAR(*surface.at(conv(in, out)), latency(in, out), 1e-9) << in << " " << out;
    }
    EXPECT_FALSE(surface.at(conv(48, 16)));
    EXPECT_FALSE(surface.at(conv(48, 88)));
}

TEST(ChannelSurface, IsTheSameWithInputAndOutputExchanged) {
    std::mt19937 random(8);
    const auto width = [&] { return 8 * static_cast<int>(1 + random() % 12); };
    for (int round = 0; round < 20; ++round) {
        ChannelSurface surface;
        ChannelSurface exchanged;
        for (int i = 0; i < 20; ++i) {
            const int in = width();
            const int out = width();
            const double latency_us = 1.0 + static_cast<double>(random() % 1000);
            surface.add(conv(in, out), latency_us);
            exchanged.add(conv(out, in), latency_us);
        }
        for (int i = 0; i < 20; ++i) {
            const int in = width();
            const int out = width();
            EXPECT_EQ(surface.at(conv(in, out)).has_value(), exchanged.at(conv(out, in)).has_value());
        }
    }
}

// What is known of equal widths is not given up for a coarse rectangle that is known too.
TEST(ChannelSurface, PrefersANearLineOfOneRatioToAWideRectangle) {
    ChannelSurface surface;
    for (const int in : {16, 128}) {
        for (const int out : {16, 128}) surface.add(conv(in, out), 100.0);
    }
    for (const int width : {56, 72}) surface.add(conv(width, width), 10.0);
    EXPECT_EQ(surface.at(conv(64, 64)), 10.0);
    EXPECT_EQ(surface.at(conv(64, 32)), 100.0);
}

TEST(ChannelSurface, NeverGoesFarBeyondWhatWasMeasured) {
    ChannelSurface surface;
    surface.add(conv(64, 64), 100.0);
    EXPECT_NEAR(*surface.at(conv(64, 80)), 125.0, 1e-9);
    EXPECT_NEAR(*surface.at(conv(56, 72)), 100.0 * (56 * 72) / (64 * 64), 1e-9);
    EXPECT_FALSE(surface.at(conv(64, 81)));
    EXPECT_FALSE(surface.at(conv(51, 64)));
    EXPECT_FALSE(ChannelSurface().at(conv(8, 8)));
}

TEST(ChannelSurface, HasOneDimensionForDepthwiseConvsAndPools) {
    ChannelSurface convs;
    convs.add(depthwise(32), 10.0);
    convs.add(depthwise(64), 20.0);
    EXPECT_EQ(convs.at(depthwise(48)), 15.0);
    EXPECT_NEAR(*convs.at(depthwise(80)), 25.0, 1e-9);
    EXPECT_FALSE(convs.at(depthwise(96)));

    LayerSpec pool = conv(32, 32);
    pool.kind = LayerKind::max_pool;
    ChannelSurface pools;
    pools.add(pool, 8.0);
    pool.in_channels = pool.out_channels = 40;
    EXPECT_NEAR(*pools.at(pool), 10.0, 1e-9);  // no MACs: by bytes
}

TEST(ChannelSurface, LetsTheSqueezeWidthRideAlong) {
    ChannelSurface surface;
    surface.add(squeeze_excite(96, 24), 10.0);
    surface.add(squeeze_excite(96, 4), 5.0);
    surface.add(squeeze_excite(192, 48), 20.0);
    surface.add(squeeze_excite(192, 8), 9.0);
    EXPECT_EQ(surface.at(squeeze_excite(144, 36)), 15.0);
    EXPECT_EQ(surface.at(squeeze_excite(144, 6)), 7.0);
    EXPECT_EQ(surface.at(squeeze_excite(144, 40)), 15.0);  // rounded by a divisor
    EXPECT_EQ(surface.at(squeeze_excite(96, 23)), 9.75);   // between 4 and 24
    EXPECT_FALSE(surface.at(squeeze_excite(144, 144)));
}

// Chosen apart, the inner width and the squeeze width of a block have no one ratio.
TEST(ChannelSurface, HasTwoDimensionsForSqueezeExcites) {
    const auto latency = [](int channels, int squeeze) { return 2.0 + 0.01 * channels * squeeze; };
    ChannelSurface surface;
    for (const int channels : {64, 128, 256}) {
        for (const int squeeze : {4, 8, 16}) {
            surface.add(squeeze_excite(channels, squeeze), latency(channels, squeeze));
        }
    }
    for (int channels = 64; channels <= 256; channels += 16) {
        for (int squeeze = 4; squeeze <= 16; ++squeeze) {
            ASSERT_TRUE(surface.at(squeeze_excite(channels, squeeze)));
            EXPECT_NEAR(*surface.at(squeeze_excite(channels, squeeze)), latency(channels, squeeze), 1e-9);
        }
    }
}

}  // namespace
}  // namespace hacscale
