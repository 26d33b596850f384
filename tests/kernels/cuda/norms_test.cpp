// Norms where their arithmetic is hard: means that are large against the spread, constant channels, and how lanes share
// pixels. That they equal the reference over generated shapes: handwritten_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cuda/device/layer_norm.hpp"
#include "tests/kernels/cuda/candidate_check.hpp"

namespace hacscale::cuda {
namespace {

LayerContext norm_context(LayerKind kind, int channels, int height, int width) {
    LayerContext context;
    context.layer.kind = kind;
    context.layer.in_channels = context.layer.out_channels = channels;
    context.layer.in_height = height;
    context.layer.in_width = width;
    context.layer.epsilon = 1e-6F;
    context.device.multiprocessors = 132;
    context.device.compute_capability = 90;
    return context;
}

double error_of(const LayerContext& context, const testing::LayerExample& example) {
    const auto layer = std::move(handwritten_candidates(context).front());
    return relative_error(testing::run_candidate(*layer, context, example),
                          testing::expected_outputs(context, example));
}

class Norm : public ::testing::TestWithParam<LayerKind> {};

// With a mean of 1,000 and a spread of 1, a difference of squares in f32 has no digit left.
TEST_P(Norm, KeepsItsDigitsWhereTheMeanIsLarge) {
    for (const int channels : {24, 31, 600}) {
        LayerContext context = norm_context(GetParam(), channels, 12, 9);
        if (GetParam() == LayerKind::group_norm && channels == 24) context.layer.groups = 3;
        testing::LayerExample example(context, 5);
        for (float& x : example.inputs.front()) x += 1000.0F;
        EXPECT_LT(error_of(context, example), 1e-3) << context.layer.key();
    }
}

TEST_P(Norm, OfAConstantIsItsShift) {
    const LayerContext context = norm_context(GetParam(), 40, 7, 6);
    testing::LayerExample example(context, 6);
    std::fill(example.inputs.front().begin(), example.inputs.front().end(), 3.25F);
    EXPECT_LT(error_of(context, example), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Norm, ::testing::Values(LayerKind::layer_norm, LayerKind::group_norm),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

// One channel far from the others: its group's variance is made of means that differ.
TEST(GroupNorm, AddsUpChannelsOfDifferentMeans) {
    LayerContext context = norm_context(LayerKind::group_norm, 16, 30, 40);
    context.layer.groups = 2;
    testing::LayerExample example(context, 7);
    for (std::size_t i = 0; i < 1200; ++i) example.inputs.front()[i] += 50.0F;
    EXPECT_LT(error_of(context, example), 1e-4);
}

TEST(LayerNormLayers, ShareAPixelWithFewIdlePlaces) {
    const auto name_of_channels = [](int channels, int size) {
        LayerContext context = norm_context(LayerKind::layer_norm, channels, size, size);
        context.type = DataType::f16;
        return handwritten_candidates(context).front()->implementation();
    };
    // ConvNeXt's widths: 12, 24, 48 and 96 vectors.
    EXPECT_EQ(name_of_channels(96, 56), "hacscale layer_norm 4x3 v8 f16");
    EXPECT_EQ(name_of_channels(192, 28), "hacscale layer_norm 8x3 v8 f16");
    EXPECT_EQ(name_of_channels(384, 14), "hacscale layer_norm 16x3 v8 f16");
    EXPECT_EQ(name_of_channels(768, 7), "hacscale layer_norm 32x3 v8 f16");
    // Sixteen vectors: one a lane where pixels are few, four where they are many.
    EXPECT_EQ(name_of_channels(128, 14), "hacscale layer_norm 16x1 v8 f16");
    EXPECT_EQ(name_of_channels(128, 224), "hacscale layer_norm 4x4 v8 f16");
    EXPECT_EQ(name_of_channels(2048, 7), "hacscale layer_norm 32x0 v8 f16");
}

TEST(AddAcross, SumsNeighbouringLanes) {
    const Warp warp(0, 0);
    for (const int width : {1, 2, 8, 32}) {
        Lanes<float> values;
        for (int lane = 0; lane < warp_lanes; ++lane) values[lane] = static_cast<float>(lane);
        add_across(warp, width, values);
        for (int lane = 0; lane < warp_lanes; ++lane) {
            const int first = lane / width * width;
            EXPECT_EQ(values[lane], static_cast<float>(width * first + width * (width - 1) / 2)) << lane;
        }
    }
}

}  // namespace
}  // namespace hacscale::cuda
