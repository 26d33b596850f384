#include "models/ops/layer_spec.hpp"
#include "models/ops/operator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

#include "base/error.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

LayerSpec conv(int channels, int size, int width, int kernel, int stride) {
    LayerSpec layer;
    layer.in_channels = channels;
    layer.in_height = layer.in_width = size;
    layer.out_channels = width;
    layer.window = Window::square(kernel, stride, kernel / 2);
    return layer;
}

// Places where a window of the padded input begins, counted one by one.
int count_windows(int size, const Window& window, int axis) {
    int count = 0;
    const int stride = window.strides[axis];
    const int end = size + window.pads[axis + 2];
    for (int start = -window.pads[axis]; start + window.span(axis) <= end; start += stride) {
        ++count;
    }
    return count;
}

TEST(LayerSpec, KeysStayAsTheyAreOnDisk) {
    LayerSpec layer = conv(64, 56, 64, 3, 1);
    layer.residual = true;
    layer.activation = Activation::relu;
    EXPECT_EQ(layer.key(), "conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu");

    for (const char* key : {"conv_i16x32x32_o16_k3_s1_p1_g1",
                            "conv_i96x14x14_o96_k5_s2_p2_g96_bias_hard_swish",
                            "conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu_blocked",
                            "max_pool_i64x112x112_k3_s2_p1",
                            "global_avg_pool_i512x7x7",
                            "linear_i512x7x7_o4096_bias_relu",
                            "linear_i512x1x1_o10",
                            "squeeze_excite_i96x14x14_r24_silu_sigmoid",
                            "squeeze_excite_i96x14x14_r24_hard_swish_hard_sigmoid",
                            "squeeze_excite_i96x14x14_r24_none_sigmoid_blocked",
                            "scale_shift_i16x32x32_relu6",
                            "conv_i16x32x32_o16_k1x7_s1_p0x3_g1_bias",
                            "conv_i16x32x32_o16_k3x1_s2x1_p1x0_g1_bias_relu",
                            "conv_i16x32x32_o16_k3_s1_p2_d2_g1",
                            "conv_i16x32x32_o16_k3_s1_p2x1_d2x1_g16_bias_add",
                            "conv_i16x32x32_o16_k3_s2_p0x0x1x1_g1",
                            "max_pool_i16x32x32_k3x2_s2_p0x0x1x0",
                            "avg_pool_i16x32x32_k2_s2_p0",
                            "avg_pool_i16x32x32_k3x2_s1_p0x1x1x0_blocked",
                            "conv_i16x32x32_o16_k3_s1_p1_g1_bias_leaky_relu_a0.1",
                            "conv_i16x32x32_o16_k3_s1_p1_g1_gelu_tanh_blocked",
                            "squeeze_excite_i96x14x14_r24_leaky_relu_a0.01_sigmoid",
                            "scale_shift_i16x32x32_elu_a1",
                            "activation_i96x56x56_gelu",
                            "activation_i96x56x56_leaky_relu_a0.2",
                            "add_i64x56x56",
                            "add_i64x56x56_relu_blocked",
                            "multiply_i64x56x56_sigmoid",
                            "multiply_i64x56x56_per_channel",
                            "concat_i256x14x14_n3_blocked",
                            "slice_i116x28x28_o58_f58",
                            "avg_pool_i16x32x32_k3_s1_p1_count_padding",
                            "pad_i3x224x224_p3",
                            "pad_i3x224x224_p0x1",
                            "pad_i3x224x224_p0x0x1x1",
                            "pad_i3x224x224_p-1x0",
                            "pad_i3x224x224_p-1x-2x3x0",
                            "pad_i3x224x224_p2_reflect",
                            "pad_i3x224x224_p0x0x0x1_edge",
                            "pad_i3x224x224_p0x0x-9x1_ones",
                            "resize_i64x28x28_t56_nearest",
                            "resize_i64x28x28_t56x100_bilinear_align_corners",
                            "resize_i64x28x28_t56_nearest_half_pixel_up_blocked",
                            "layer_norm_i96x56x56_e1e-06",
                            "group_norm_i64x56x56_g32_e1e-05_silu",
                            "grn_i384x14x14_e1e-06",
                            "channel_shuffle_i116x28x28_g2",
                            "pixel_shuffle_i48x32x32_s4_channels_first",
                            "space_to_depth_i3x640x640_s2_blocks_first",
                            "space_to_depth_i3x640x640_s2x1_channels_first",
                            "prelu_i64x56x56",
                            "eca_i256x14x14_k5_sigmoid",
                            "transposed_conv_i64x28x28_o32_k2_s2_p0_g1_bias_relu",
                            "transposed_conv_i64x28x28_o64_k3_s2_p1x1x0x0_g64"}) {
        EXPECT_EQ(LayerSpec::from_key(key).key(), key);
    }
}

TEST(LayerSpec, KeyRoundTripsForAnyLayer) {
    testing::Generator generate(1);
    for (int i = 0; i < 20'000; ++i) {
        const LayerSpec layer = generate.layer();
        ASSERT_EQ(LayerSpec::from_key(layer.key()), layer) << layer.key();
    }
}

TEST(LayerSpec, KeysDifferWhereLayersDiffer) {
    testing::Generator generate(2);
    std::set<LayerSpec> layers;
    std::set<std::string> keys;
    for (int i = 0; i < 20'000; ++i) {
        const LayerSpec layer = generate.layer();
        layers.insert(layer);
        keys.insert(layer.key());
    }
    EXPECT_EQ(keys.size(), layers.size());
}

TEST(LayerSpec, OutputIsTheNumberOfWindowsThatFit) {
    testing::Generator generate(3);
    for (int i = 0; i < 20'000; ++i) {
        const LayerSpec layer = generate.layer();
        if (operator_of(layer.kind).output_size != window_positions) continue;
        ASSERT_EQ(layer.out_height(), count_windows(layer.in_height, layer.window, 0)) << layer.key();
        ASSERT_EQ(layer.out_width(), count_windows(layer.in_width, layer.window, 1)) << layer.key();
    }
    EXPECT_EQ(conv(3, 4, 8, 7, 1).out_height(), 4);
    LayerSpec no_window = conv(3, 4, 8, 7, 1);
    no_window.window.pads = {};
    EXPECT_EQ(no_window.out_height(), 0);
}

TEST(LayerSpec, BadKeysNameThePart) {
    const struct {
        const char* key;
        const char* fragment;
    } cases[] = {
        {"", "expected one of conv"},
        {"convolution_i3x8x8", "'convolution'"},
        {"conv", "at its end"},
        {"conv_", "after the last '_'"},
        {"conv_3x8x8", "'3x8x8'"},
        {"conv_i3x8", "'i3x8'"},
        {"conv_i3x8x8x8_o4_k3_s1_p1_g1", "'i3x8x8x8'"},
        {"conv_i3x8x8_k3_s1_p1_g1", "output channels as o<n> at 'k3'"},
        {"conv_i3x8x8_o4_k3_s1_p1", "groups"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_", "after the last '_'"},
        {"conv_i3x8x8_o04_k3_s1_p1_g1", "'o04'"},
        {"conv_i3x8x8_o-4_k3_s1_p1_g1", "'o-4'"},
        {"conv_i3x8x8_o-0_k3_s1_p1_g1", "'o-0'"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_add_bias", "the end of the key at 'bias'"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_bias_none", "none"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_bias_relu7", "'relu7'"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_relu_relu", "the end of the key at 'relu'"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_relu_silu", "the end of the key at 'silu'"},
        {"conv_i3x8x8_o4_k3_s1_p1_g1_blocked_relu", "blocked"},
        {"conv_i3x8x8_o99999999999_k3_s1_p1_g1", "'o99999999999'"},
        {"conv_i0x8x8_o4_k3_s1_p1_g1", "input channels is 0"},
        {"conv_i3x8x8_o4_k3_s0_p1_g1", "stride is 0"},
        {"conv_i3x8x8_o4_k3_s1_p3_g1", "padding is 3"},
        {"conv_i3x8x8_o4_k3x3_s1_p1_g1", "'k3x3'"},
        {"conv_i3x8x8_o4_k3x1x1_s1_p1_g1", "'k3x1x1'"},
        {"conv_i3x8x8_o4_k3x_s1_p1_g1", "'k3x'"},
        {"conv_i3x8x8_o4_k3_s2x2_p1_g1", "'s2x2'"},
        {"conv_i3x8x8_o4_k3_s1_p1x1_g1", "'p1x1'"},
        {"conv_i3x8x8_o4_k3_s1_p1x1x1_g1", "'p1x1x1'"},
        {"conv_i3x8x8_o4_k3_s1_p1x0x1x0_g1", "'p1x0x1x0'"},
        {"conv_i3x8x8_o4_k3_s1_p1_d1_g1", "a dilation above 1"},
        {"conv_i3x8x8_o4_k3_s1_p1_d2x2_g1", "'d2x2'"},
        {"conv_i3x8x8_o4_k3_s1_p0_d4_g1", "smaller than the 9x9 window"},
        {"conv_i3x8x8_o4_k3x1_s1_p0x1x0x0_g1", "left padding is 1, expected 0 to 0"},
        {"conv_i3x8x8_o4_k1x3_s1_p1_d2_g1", "a kernel of 1 has no dilation"},
        {"conv_i3x8x8_o4_k60000_s1_p1_d60000_g1", "elements under a dilated kernel"},
        {"max_pool_i3x2x8_k2x1_s1_p1x0_d3x1", "a dilation of 3x1 is larger than the 2x8 input"},
        {"conv_i3x8x8_o4_k3_s1_p1_g2", "2 groups do not divide 3"},
        {"conv_i3x8x8_o4_k9_s1_p0_g1", "smaller than the 9x9 window"},
        {"conv_i65536x65536x65536_o65536_k3_s1_p1_g1", "too large"},
        {"max_pool_i3x8x8_o3_k3_s1_p1", "k<height>x<width> at 'o3'"},
        {"avg_pool_i3x8x8_k3_s1_p1_d2", "no dilation"},
        {"avg_pool_i3x8x8_k3_s1_p1_relu", "the end of the key at 'relu'"},
        {"squeeze_excite_i3x8x8_r0_relu_sigmoid", "squeeze channels is 0"},
        {"squeeze_excite_i3x8x8_r1_relu_relu", "sigmoid or hard_sigmoid"},
        {"activation_i3x8x8", "the activation"},
        {"activation_i3x8x8_none", "computes nothing"},
        {"activation_i3x8x8_leaky_relu", "a<number>"},
        {"activation_i3x8x8_leaky_relu_a0", "alpha is 0"},
        {"activation_i3x8x8_leaky_relu_a0.10", "'a0.10'"},
        {"activation_i3x8x8_leaky_relu_a.1", "'a.1'"},
        {"activation_i3x8x8_leaky_relu_a-0.1", "'a-0.1'"},
        {"activation_i3x8x8_elu_ainf", "expected a finite number"},
        {"activation_i3x8x8_relu_a0.1", "the end of the key at 'a0.1'"},
        {"multiply_i3x1x1_per_channel", "more than one pixel"},
        {"concat_i3x8x8_n1", "does not take 1 inputs"},
        {"concat_i3x8x8_n4", "too few for 4 inputs"},
        {"concat_i3x8x8_n70000", "does not take 1025 inputs"},
        {"slice_i8x8x8_o4_f5", "begins at channel 5, expected 0 to 4"},
        {"slice_i8x8x8_o9_f0", "expected 0 to -1"},
        {"avg_pool_i3x8x8_k3_s1_p0_count_padding", "no padding to count"},
        {"pad_i3x8x8_p0", "computes nothing"},
        {"pad_i3x8x8_p-0x1", "expected the padding"},
        {"pad_i3x8x8_p-01", "expected the padding"},
        {"pad_i3x8x8_p-4", "pads of -4 and -4 leave nothing of 8 elements"},
        {"pad_i3x8x8_p8_reflect", "8 elements mirror at most 7 more, not 8"},
        {"pad_i3x8x8_p1x-1_edge", "cuts nothing off"},
        {"pad_i3x8x8_p-1_ones", "adds no row or column"},
        {"conv_i3x8x8_o4_k3_s1_p-1_g1", "expected the padding"},
        {"pad_i3x8x8_p99999", "padding is 99999"},
        {"resize_i3x8x8_t16", "one of nearest"},
        {"resize_i3x8x8_t16x16_nearest", "'t16x16'"},
        {"resize_i3x8x8_t0_nearest", "size is 0x0"},
        {"layer_norm_i3x8x8", "epsilon as e<number>"},
        {"layer_norm_i3x8x8_e0", "epsilon is 0"},
        {"layer_norm_i3x8x8_e1e-6", "'e1e-6'"},
        {"layer_norm_i3x8x8_e0.00001", "'e0.00001'"},
        {"group_norm_i3x8x8_g2_e1e-05", "2 groups do not divide 3"},
        {"channel_shuffle_i3x8x8_g1", "one group"},
        {"pixel_shuffle_i6x8x8_s2_channels_first", "6 channels do not make 1 channels"},
        {"pixel_shuffle_i4x8x8_s1_channels_first", "one pixel"},
        {"pixel_shuffle_i65536x65536x1_s256_channels_first", "the output is 16777216x256"},
        {"space_to_depth_i3x9x8_s2_channels_first", "do not fill a 9x8 input"},
        {"space_to_depth_i60000x60000x60000_s60000_channels_first", "output channels is 65537"},
        {"prelu_i3x8x8_relu", "the end of the key at 'relu'"},
        {"eca_i3x8x8_k4_sigmoid", "an odd number"},
        {"transposed_conv_i3x1x8_o4_k3_s1_p2_g1", "the output's height is -1"},
        {"transposed_conv_i3x60000x8_o4_k3_s2_p1_g1", "the output's height is 119999, expected 1 to 65536"},
        {"eca_i3x8x8_k3_relu", "sigmoid or hard_sigmoid"},
    };
    for (const auto& [key, fragment] : cases) {
        try {
            LayerSpec::from_key(key);
            ADD_FAILURE() << key << " was accepted";
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr(fragment));
        }
    }
}

TEST(LayerSpec, AKeyCutOrChangedAnywhereNeverMeansAnotherKey) {
    testing::Generator generate(4);
    for (int i = 0; i < 3'000; ++i) {
        std::string key = generate.layer().key();
        const int at = generate.between(0, static_cast<int>(key.size()) - 1);
        if (generate.coin()) {
            key.resize(at);
        } else {
            key[at] = static_cast<char>(generate.between(1, 127));
        }
        try {
            EXPECT_EQ(LayerSpec::from_key(key).key(), key);
        } catch (const InputError&) {
        }
    }
}

TEST(LayerSpec, DepthwiseIsOneChannelAGroup) {
    LayerSpec layer = conv(32, 8, 32, 3, 1);
    EXPECT_FALSE(layer.depthwise());
    layer.groups = 32;
    EXPECT_TRUE(layer.depthwise());
    layer.out_channels = 64;
    EXPECT_FALSE(layer.depthwise());
}

TEST(LayerSpecHash, AgreesWithEqualityAndSpreads) {
    const LayerSpecHash hash;
    std::unordered_set<LayerSpec, LayerSpecHash> layers;
    std::set<std::size_t> low_bits;
    // Widths as a planner asks for them: one layer, many widths.
    for (int in = 8; in <= 512; in += 8) {
        for (int out = 8; out <= 512; out += 8) {
            const LayerSpec layer = conv(in, 14, out, 3, 1);
            EXPECT_EQ(hash(layer), hash(LayerSpec(layer)));
            layers.insert(layer);
            low_bits.insert(hash(layer) & 0xFFFF);
        }
    }
    EXPECT_EQ(layers.size(), 64u * 64u);
    // 4,096 values thrown at random into 65,536 places fill about 3,970 of them.
    EXPECT_GT(low_bits.size(), 3'850u);

    LayerSpec changed = conv(8, 14, 8, 3, 1);
    changed.layout = Layout::blocked;
    EXPECT_NE(hash(changed), hash(conv(8, 14, 8, 3, 1)));
}

TEST(Names, RoundTripAndListWhatIsKnown) {
    for (int i = 0; i < 7; ++i) {
        const auto activation = static_cast<Activation>(i);
        EXPECT_EQ(activation_from_name(name_of(activation)), activation);
    }
    for (const DataType type : all_data_types) {
        EXPECT_EQ(data_type_from_name(name_of(type)), type);
    }
    EXPECT_EQ(layout_from_name(name_of(Layout::blocked)), Layout::blocked);
    EXPECT_EQ(size_of(DataType::f32), 4u);
    EXPECT_EQ(size_of(DataType::bf16), 2u);
    try {
        data_type_from_name("float");
        ADD_FAILURE();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("f32, bf16, f16"));
    }
}

}  // namespace
}  // namespace hacscale
