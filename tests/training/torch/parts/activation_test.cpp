// bf16 on CPUs goes ways of its own: it has to have the values and gradients of f32.
#include "training/torch/network.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <string>

namespace hacscale::training {
namespace {

// Numbers that bf16 holds exactly, every activation's kinks among them.
at::Tensor points() {
    return at::arange(-64, 65, at::kFloat).div(8.0);
}

at::Tensor points_between() {
    return points() + 0.0625;
}

struct Curve {
    at::Tensor values, slopes;
};

Curve curve_of(Activation activation, at::ScalarType type, const at::Tensor& points) {
    // An activation may overwrite what it gets, which a leaf of the graph does not allow.
    const at::Tensor x = points.clone().requires_grad_(true);
    const at::Tensor y = activated(x.to(type).clone(), activation, Parameter{}).to(at::kFloat);
    torch::autograd::backward({y.sum()}, {});
    return {y.detach(), x.grad()};
}

TEST(Activation, Bf16HasTheValuesAndGradientsOfF32) {
    for (const Activation activation :
         {Activation::none, Activation::relu, Activation::relu6, Activation::silu, Activation::hard_swish,
          Activation::sigmoid, Activation::hard_sigmoid}) {
        const Curve exact = curve_of(activation, at::kFloat, points_between());
        const Curve rounded = curve_of(activation, at::kBFloat16, points_between());
        const std::string name = "activation " + std::to_string(static_cast<int>(activation));
        EXPECT_TRUE(at::allclose(rounded.values, exact.values, 2e-2, 1e-2)) << name;
        EXPECT_TRUE(at::allclose(rounded.slopes, exact.slopes, 2e-2, 2e-2)) << name;
    }
}

TEST(Activation, Relu6PassesNoGradientWhereItClamps) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        const Curve curve = curve_of(Activation::relu6, type, points());
        EXPECT_TRUE(curve.values.equal(points().clamp(0, 6)));
        EXPECT_TRUE(curve.slopes.equal(points().gt(0).logical_and(points().lt(6)).to(at::kFloat)));
    }
}

}  // namespace
}  // namespace hacscale::training
