#include "scaling/stage_context.hpp"

#include <gtest/gtest.h>

#include "models/zoo/zoo.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

TEST(ScalingContext, PlansAreExactUnlessInnerWidthsAreOpenOrABoundIsGiven) {
    const ModelSpec base = find_model("resnet20-cifar");
    const testing::SyntheticSource source;
    const auto epsilon_of = [&](const ScalingSettings& settings) {
        return StageContext(base, source, settings, capacity_gain(base)).epsilon();
    };
    ScalingSettings settings;
    EXPECT_EQ(epsilon_of(settings), 0.0);
    settings.space.max_inner_ratio = 1.5;
    EXPECT_EQ(epsilon_of(settings), open_inner_epsilon);
    settings.epsilon = 0.0;
    EXPECT_EQ(epsilon_of(settings), 0.0);
}

}  // namespace
}  // namespace hacscale
