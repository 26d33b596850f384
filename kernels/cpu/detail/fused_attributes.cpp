#include "kernels/cpu/detail/fused_attributes.hpp"

namespace hacscale::cpu {
namespace {

// Whether the cuts of the output's integers are the activation: a relu's at 0, and a relu6's also at 6 or, as far as numbers went in
// calibration, below.
bool is_cut(const LayerContext& context) {
    const Stored& output = context.integers.output;
    if (output.element != Element::u8) return false;
    const bool ends_at_6 = output.scale * 255.0F <= 6.0001F;
    return context.layer.activation == Activation::relu ||
           (context.layer.activation == Activation::relu6 && ends_at_6);
}

// Whether the activation of a multiple is the multiple of the activation, so that sums can be scaled to the output's steps at once.
bool keeps_multiples(const LayerContext& context) {
    const Activation activation = context.layer.activation;
    return is_cut(context) || activation == Activation::none || activation == Activation::relu ||
           activation == Activation::leaky_relu;
}

// What sums, bias and residual are divided by before the activation.
float early_step(const LayerContext& context) {
    return keeps_multiples(context) ? context.integers.output.scale : 1.0F;
}

void append_integer_steps(onednn::post_ops& post_ops, const LayerContext& context) {
    const IntegerForms& forms = context.integers;
    const float early = early_step(context);
    if (context.layer.residual) {
        post_ops.append_sum(forms.residual.scale / early, 0, dnnl_type(DataType::i8, forms.residual.element));
    }
    if (!is_cut(context)) append_activation(post_ops, context.layer);
    const float late = forms.output.scale / early;
    if (late != 1.0F) post_ops.append_eltwise(dnnl::algorithm::eltwise_linear, 1.0F / late, 0.0F);
}

}  // namespace

dnnl::primitive_attr fused_attributes(const LayerContext& context) {
    onednn::post_ops post_ops;
    dnnl::primitive_attr attributes;
    if (context.type == DataType::i8) {
        append_integer_steps(post_ops, context);
        onednn::set_factors(attributes, integer_scales(context).sum_factors, context.layer.groups > 1);
    } else {
        if (context.layer.residual) post_ops.append_sum(1.0F);
        append_activation(post_ops, context.layer);
    }
    attributes.set_post_ops(post_ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

IntegerScales integer_scales(const LayerContext& context) {
    const float early = early_step(context);
    IntegerScales scales{context.integers.weight_scales, {}, 1.0F / early};
    for (const float scale : scales.weight_scales) {
        scales.sum_factors.push_back(context.integers.input.scale * scale / early);
    }
    return scales;
}

LayerWeights in_steps(const LayerWeights& weights, const IntegerScales& scales) {
    LayerWeights result = weights;
    const std::size_t channels = scales.weight_scales.size();
    const std::size_t row = weights.weights.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = c * row; i < (c + 1) * row; ++i) result.weights[i] /= scales.weight_scales[c];
    }
    for (std::size_t c = 0; c < result.bias.size(); ++c) {
        result.bias[c] *= scales.bias_factor;
        if (onednn::bias_before_factors) result.bias[c] /= scales.sum_factors[c];
    }
    return result;
}

}  // namespace hacscale::cpu
