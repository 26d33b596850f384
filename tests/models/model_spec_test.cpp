#include "models/stages/model_spec.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace hacscale {
namespace {

TEST(SqueezeWidth, RoundsAsThePapersCodeDoes) {
    const SqueezeExciteSpec nearest{.ratio = 0.25};
    EXPECT_EQ(squeeze_width(nearest, 96, 16), 24);
    EXPECT_EQ(squeeze_width(nearest, 1, 1), 1);

    const SqueezeExciteSpec of_input{.ratio = 0.25, .from = SqueezeFrom::input};
    EXPECT_EQ(squeeze_width(of_input, 96, 16), 4);

    // MobileNetV3: a quarter of the inner width as a multiple of 8, never less than 90 % of it.
    const SqueezeExciteSpec eights{.ratio = 0.25, .divisor = 8};
    EXPECT_EQ(squeeze_width(eights, 16, 0), 8);
    EXPECT_EQ(squeeze_width(eights, 72, 0), 24);    // 18 rounds to 16, which is less than 16.2
    EXPECT_EQ(squeeze_width(eights, 120, 0), 32);   // 30
    EXPECT_EQ(squeeze_width(eights, 240, 0), 64);   // 60
    EXPECT_EQ(squeeze_width(eights, 672, 0), 168);  // exact
    for (int inner = 1; inner < 2000; ++inner) {
        const int width = squeeze_width(eights, inner, 0);
        EXPECT_EQ(width % 8, 0);
        EXPECT_GE(width, 0.9 * inner / 4);
        EXPECT_LE(width, inner / 4.0 + 8);
    }
}

TEST(StageInput, ComesFromTheStemOrTheStageBefore) {
    ModelSpec model;
    model.stages = {{.width = 24}, {.width = 48}};
    EXPECT_EQ(stage_input_width(model, 0), 3);
    model.stem = {ConvSpec{.width = 16}, MaxPoolSpec{}};
    EXPECT_EQ(stage_input_width(model, 0), 16);
    EXPECT_EQ(stage_input_width(model, 1), 24);
}

TEST(BlockKind, NamesRoundTrip) {
    for (int i = 0; i < 7; ++i) {
        const auto kind = static_cast<BlockKind>(i);
        EXPECT_EQ(block_kind_from_name(name_of(kind)), kind);
    }
    EXPECT_THROW(block_kind_from_name("transformer"), InputError);
}

}  // namespace
}  // namespace hacscale
