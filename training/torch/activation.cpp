#include "training/torch/activation.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace hacscale::training {
namespace {

// libtorch 1.13 has no backward pass for hardtanh, hardswish and hardsigmoid in bf16 on CPUs. There they are
// put together from operators that have one.
bool lacks_hard_activations(const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16;
}

// ReLU6 with the gradient of hardtanh: zero where the result is 0 or 6. As a clamp and two thresholds it
// takes a third of the time of what autograd makes of min and relu, half of MobileNetV2's step. Not in place:
// that is the slower way here.
struct ClampedTo6 : public torch::autograd::Function<ClampedTo6> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
        at::Tensor y = at::clamp(x, 0, 6);
        context->save_for_backward({y});
        return y;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients) {
        const at::Tensor y = context->get_saved_variables().front();
        const at::Tensor above_0 = at::threshold_backward(gradients.front(), y, 0);
        return {at::threshold_backward(above_0, at::neg(y), -6)};
    }
};

at::Tensor clamped_to_6(at::Tensor x) {
    if (lacks_hard_activations(x)) return ClampedTo6::apply(x);
    return at::hardtanh_(x, 0, 6);
}

at::Tensor hard_sigmoid_of(const at::Tensor& x) {
    return lacks_hard_activations(x) ? clamped_to_6(x + 3) / 6 : at::hardsigmoid(x);
}

at::Tensor hard_swish_of(const at::Tensor& x) {
    return lacks_hard_activations(x) ? x * hard_sigmoid_of(x) : at::hardswish(x);
}

}  // namespace

at::Tensor activated(at::Tensor x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return at::relu_(x);
        case Activation::relu6:
            return clamped_to_6(x);
        case Activation::silu:
            return at::silu(x);
        case Activation::hard_swish:
            return hard_swish_of(x);
        case Activation::sigmoid:
            return at::sigmoid(x);
        case Activation::hard_sigmoid:
            return hard_sigmoid_of(x);
    }
    return x;
}

}  // namespace hacscale::training
