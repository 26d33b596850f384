// The activations of the hand-written kernels.
#include "kernels/cuda/device/elements.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace hacscale::cuda {
namespace {

constexpr Activation all_of_them[] = {Activation::none,        Activation::relu,    Activation::relu6,
                                      Activation::silu,        Activation::sigmoid, Activation::hard_swish,
                                      Activation::hard_sigmoid};

template <Precision Wanted>
float activated(Activation activation, float x) {
    float values[1] = {x};
    activate<Wanted>(activation, values);
    return values[0];
}

// A number that is none has to be seen in the output, not become a zero.
TEST(Activations, KeepNotANumbers) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Activation activation : all_of_them) {
        EXPECT_TRUE(std::isnan(activated<Precision::full>(activation, nan))) << name_of(activation);
        EXPECT_TRUE(std::isnan(activated<Precision::coarse>(activation, nan))) << name_of(activation);
    }
}

// With an exact hyperbolic tangent the coarse forms are the activations themselves; on the device its error of 2^-11
// comes on top, |x| / 2 times that for SiLU.
TEST(Activations, CoarseFormsAreTheSameFunctions) {
    for (const Activation activation : all_of_them) {
        for (float x = -20.0F; x <= 20.0F; x += 0.37F) {
            EXPECT_NEAR(activated<Precision::coarse>(activation, x),
                        activated<Precision::full>(activation, x), 1e-6 * (1.0F + std::abs(x)))
                << name_of(activation) << " of " << x;
        }
    }
}

TEST(Activations, CoarseIsForSixteenBitsOnly) {
    EXPECT_EQ(precision_for<float>, Precision::full);
    EXPECT_EQ(precision_for<__half>, Precision::coarse);
    EXPECT_EQ(precision_for<__nv_bfloat16>, Precision::coarse);
}

}  // namespace
}  // namespace hacscale::cuda
