// What a layer finds in the cache, from the size of its network; the timing itself: tests/gpu/simulated.
#include "kernels/cuda/candidate_timing.hpp"

#include <gtest/gtest.h>

namespace hacscale::cuda {
namespace {

TEST(L2State, FollowsTheFootprint) {
    constexpr std::size_t l2 = 50U << 20;
    EXPECT_EQ(l2_state(0, l2), L2State::hot);
    EXPECT_EQ(l2_state((25 << 20) - 1, l2), L2State::hot);
    EXPECT_EQ(l2_state(25 << 20, l2), L2State::input_hot);
    EXPECT_EQ(l2_state(50 << 20, l2), L2State::input_hot);
    EXPECT_EQ(l2_state((50 << 20) + 1, l2), L2State::cold);
    EXPECT_EQ(l2_state(1, 0), L2State::cold);
}

}  // namespace
}  // namespace hacscale::cuda
