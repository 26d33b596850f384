#include "kernels/cpu/conv_plans.hpp"

#include <algorithm>

#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/detail/onednn.hpp"
#include "kernels/cpu/detail/primitive_layer.hpp"
#include "kernels/cpu/integer_conv_in_f32.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;
using onednn::convolution_forward;
using ConvDesc = convolution_forward::primitive_desc;

// The input as oneDNN is told of it. Its kernels for blocked tensors do not take fewer input channels than a
// block has: it would run such a dense conv by its reference kernel, hundreds of times slower. The rest of
// the block holds zeros, so it is passed off as channels whose weights are zero.
TensorShape told_input(const LayerContext& context) {
    TensorShape input = context.input;
    if (input.order == TensorShape::Order::blocked && context.layer.groups == 1) {
        input.channels = std::max(input.channels, input.block);
    }
    return input;
}

memory::dims conv_weight_dims(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const memory::dim g = layer.groups;
    const memory::dim out = layer.out_channels;
    const memory::dim in = told_input(context).channels;
    const auto& [height, width] = layer.window.kernel;
    if (g == 1) return {out, in, height, width};
    return {g, out / g, in / g, height, width};
}

// oneDNN lists, after its optimised kernels, slow general ones and those of older instruction sets.
bool last_resort(const std::string& name) {
    return is_reference_kernel(name) || name.find("gemm:") != std::string::npos ||
           name.find("gemm_s8") != std::string::npos || name.find("sse41 ") != std::string::npos ||
           name.ends_with("int8:sse41") || name.ends_with("int8_1x1:sse41");
}

// oneDNN's depthwise kernels for SSE4.1 add pixels of channels-last tensors by instructions that want addresses
// of a multiple of 16 bytes, which pixels of other channel counts do not have: they end in a fault.
bool faults(const std::string& name, const LayerContext& context) {
    return name.find("dw:sse41") != std::string::npos &&
           context.output.order == TensorShape::Order::channels_last && context.output.channels % 4 != 0;
}

// Kernels for instruction sets without VNNI add two products of integers in 16 bits, where large ones do not fit. oneDNN offers them
// where there is VNNI, too.
bool cuts_sums(const std::string& name, const LayerContext& context) {
    return context.type == DataType::i8 && onednn::has_wide_sums() &&
           (name.ends_with(":sse41") || name.ends_with(":avx2") || name.ends_with(":avx512_core"));
}

// Another layer, but for what a derived class does differently.
class LayerAround : public CpuLayer {
public:
    explicit LayerAround(std::unique_ptr<CpuLayer> inner) : inner_(std::move(inner)) {}
    void load(const LayerWeights& weights) override { inner_->load(weights); }
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        inner_->bind(inputs, output, scratch);
    }
    void execute() override { inner_->execute(); }
    std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
    std::string implementation() const override { return inner_->implementation(); }
    std::span<const std::byte> weights() const override { return inner_->weights(); }

private:
    std::unique_ptr<CpuLayer> inner_;
};

constexpr const char* silu_suffix = "+hacscale:silu";

// The conv without its SiLU, and the SiLU after it.
class ConvThenSilu final : public LayerAround {
public:
    ConvThenSilu(std::unique_ptr<CpuLayer> conv, std::size_t outputs)
        : LayerAround(std::move(conv)), outputs_(outputs) {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        LayerAround::bind(inputs, output, scratch);
        output_ = reinterpret_cast<float*>(output);
    }
    void execute() override {
        LayerAround::execute();
        silu_in_place(output_, outputs_);
    }
    std::string implementation() const override { return LayerAround::implementation() + silu_suffix; }

private:
    std::size_t outputs_;
    float* output_ = nullptr;
};

// The rows of a matrix, each filled up with zeros.
std::vector<float> with_longer_rows(const std::vector<float>& matrix, std::size_t row,
                                    std::size_t longer_row) {
    const std::size_t rows = matrix.size() / row;
    std::vector<float> result(rows * longer_row, 0.0F);
    for (std::size_t i = 0; i < rows; ++i) {
        std::copy_n(matrix.data() + i * row, row, result.data() + i * longer_row);
    }
    return result;
}

// The conv with more input channels than the layer has; the weights of the others are zero.
class ConvOfMoreChannels final : public LayerAround {
public:
    ConvOfMoreChannels(std::unique_ptr<CpuLayer> conv, const LayerSpec& layer, int channels)
        : LayerAround(std::move(conv)),
          row_(static_cast<std::size_t>(layer.in_channels * layer.window.taps())),
          padded_row_(static_cast<std::size_t>(channels * layer.window.taps())) {}
    void load(const LayerWeights& weights) override {
        LayerWeights padded = weights;
        padded.weights = with_longer_rows(weights.weights, row_, padded_row_);
        LayerAround::load(padded);
    }

private:
    std::size_t row_;  // weights of one output channel
    std::size_t padded_row_;
};

// The conv as oneDNN's primitive, without what is done around it.
std::unique_ptr<CpuLayer> build_primitive(const LayerContext& context, const ConvDesc& primitive) {
    const LayerSpec& layer = context.layer;
    const auto plain = layer.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
    PrimitiveLayer::Weights weights{
        primitive.weights_desc(), {conv_weight_dims(context), memory::data_type::f32, plain}, {}};
    if (layer.bias) weights.bias = primitive.bias_desc();
    if (context.type == DataType::i8) weights.integers = integer_scales(context);
    std::unique_ptr<CpuLayer> conv = PrimitiveLayer::make<convolution_forward>(context, primitive, weights);
    const int channels = told_input(context).channels;
    if (channels == layer.in_channels) return conv;
    return std::make_unique<ConvOfMoreChannels>(std::move(conv), layer, channels);
}

// Every kernel that oneDNN offers for the layer with one algorithm, in its order.
void append_plans(const LayerContext& context, dnnl::algorithm algorithm, std::vector<ConvPlan>& plans) {
    const LayerSpec& layer = context.layer;
    const memory::desc weights(conv_weight_dims(context), dnnl_type(context.type), memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc no_bias;
    const WindowDims window = window_dims(layer);

    const IntegerForms& integers = context.integers;
    try {
        ConvDesc plan(engine(), dnnl::prop_kind::forward_inference, algorithm,
                      dnnl_desc(told_input(context), context.type, integers.input.element), weights,
                      layer.bias ? bias : no_bias,
                      dnnl_desc(context.output, context.type, integers.output.element), window.strides,
                      window.dilations, window.near_padding, window.far_padding, fused_attributes(context),
                      /*allow_empty=*/true);
        if (!plan) return;
        do {
            const std::string name = plan.impl_info_str();
            if (faults(name, context) || cuts_sums(name, context)) continue;
            plans.push_back({name, [plan = onednn::fixed(plan)](const LayerContext& where) {
                                 return build_primitive(where, plan);
                             }});
        } while (plan.next_impl());
    } catch (const dnnl::error& error) {
        // A combination that the algorithm does not have at all; the other one may have it.
        if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
    }
}

void append_winograd(const LayerContext& context, std::vector<ConvPlan>& plans) {
    for (const int outputs : {4, 2}) {
        for (const bool share_channels : {false, true}) {
            const auto plan = winograd_plan(context, winograd_kernels(), outputs, share_channels);
            if (!plan) continue;
            plans.push_back({plan->name(), [plan = *plan](const LayerContext& where) {
                                 return make_winograd(where, plan);
                             }});
        }
    }
}

void append_winograd_in_f32(const LayerContext& context, std::vector<ConvPlan>& plans) {
    std::vector<ConvPlan> in_f32;
    append_winograd(as_f32(context), in_f32);
    for (const ConvPlan& plan : in_f32) {
        plans.push_back({plan.name + ":f32", [build = plan.build](const LayerContext& where) {
                             return make_integer_conv_in_f32(where, build);
                         }});
    }
}

// Those of the list that are worth timing: the library lists its kernels from the newest instruction set
// down.
void keep_first(std::vector<ConvPlan>& plans, std::size_t count) {
    if (plans.size() > count) plans.erase(plans.begin() + static_cast<std::ptrdiff_t>(count), plans.end());
}

// Candidates with the layer's activation fused; at most `count` direct ones.
ConvPlans fused_plans(const LayerContext& context, std::size_t count) {
    const LayerSpec& layer = context.layer;
    std::vector<ConvPlan> direct;
    append_plans(context, dnnl::algorithm::convolution_direct, direct);
    ConvPlans sorted;
    for (const ConvPlan& plan : direct) {
        (last_resort(plan.name) ? sorted.last_resorts : sorted.good).push_back(plan);
    }
    keep_first(sorted.good, count);
    // Depthwise and first-layer shapes gain nothing from Winograd, and its bf16 form loses digits.
    const bool winograd = layer.window.is_square() && layer.kernel() == 3 && layer.stride() == 1 &&
                          layer.groups == 1 && layer.in_channels >= 8;
    if (winograd && context.type == DataType::f32) {
        append_plans(context, dnnl::algorithm::convolution_winograd, sorted.good);
        append_winograd(context, sorted.good);
    }
    if (winograd && context.type == DataType::i8) append_winograd_in_f32(context, sorted.good);
    return sorted;
}

// Maps of one pixel lie in memory alike in both orders, where the channels that fill up the last block count as channels.
LayerContext as_channels_last(LayerContext context) {
    for (TensorShape* shape : {&context.input, &context.output}) {
        shape->channels = shape->padded_channels();
        shape->order = TensorShape::Order::channels_last;
    }
    context.layer.in_channels = context.input.channels;
    context.layer.out_channels = context.output.channels;
    return context;
}

bool fills_blocks(const LayerContext& context) {
    return context.input.channels % context.input.block == 0 &&
           context.output.channels % context.output.block == 0;
}

bool is_of_one_pixel(const LayerContext& context) {
    const auto is_one = [](const TensorShape& shape) { return shape.height == 1 && shape.width == 1; };
    return is_one(context.input) && is_one(context.output) &&
           (context.layer.groups == 1 || fills_blocks(context));
}

// The conv of as_channels_last(): the weights of the channels that fill up blocks are zeros, and what it writes there, which an activation
// may have made of a zero, is zero again.
class ConvOfFilledBlocks final : public LayerAround {
public:
    ConvOfFilledBlocks(std::unique_ptr<CpuLayer> conv, const LayerContext& blocked)
        : LayerAround(std::move(conv)),
          layer_(blocked.layer),
          filled_(as_channels_last(blocked).layer),
          output_shape_(blocked.output),
          type_(blocked.type) {}
    void load(const LayerWeights& weights) override {
        const auto row = static_cast<std::size_t>(layer_.in_channels * layer_.window.taps());
        const auto filled_row = static_cast<std::size_t>(filled_.in_channels * layer_.window.taps());
        LayerWeights filled = weights;
        filled.weights = with_longer_rows(weights.weights, row, filled_row);
        filled.weights.resize(static_cast<std::size_t>(filled_.out_channels) * filled_row, 0.0F);
        if (!filled.bias.empty()) filled.bias.resize(static_cast<std::size_t>(filled_.out_channels), 0.0F);
        LayerAround::load(filled);
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        LayerAround::bind(inputs, output, scratch);
        output_ = output;
    }
    void execute() override {
        LayerAround::execute();
        zero_padding(output_shape_, type_, output_);
    }

private:
    LayerSpec layer_;
    LayerSpec filled_;
    TensorShape output_shape_;
    DataType type_;
    std::byte* output_ = nullptr;
};

// The reference kernel takes seconds for a layer, so it is left where there is nothing else. That is the case of blocked tensors where
// the instruction set has no kernel of its own, as AVX2 for most dilated convs (fastest_layout() avoids these) and for maps of one
// pixel, which can be taken for channels-last ones.
void leave_out_references(const LayerContext& context, ConvPlans& plans) {
    const auto is_slow = [](const ConvPlan& plan) { return is_reference_kernel(plan.name); };
    const bool slow =
        plans.good.empty() && std::all_of(plans.last_resorts.begin(), plans.last_resorts.end(), is_slow);
    if (slow && context.output.order == TensorShape::Order::blocked && is_of_one_pixel(context)) {
        plans = fused_plans(as_channels_last(context), 4);
        for (auto* list : {&plans.good, &plans.last_resorts}) {
            for (ConvPlan& plan : *list) {
                plan.build = [build = plan.build](const LayerContext& where) -> std::unique_ptr<CpuLayer> {
                    std::unique_ptr<CpuLayer> conv = build(as_channels_last(where));
                    if (fills_blocks(where)) return conv;
                    return std::make_unique<ConvOfFilledBlocks>(std::move(conv), where);
                };
            }
        }
    }
    if (!std::all_of(plans.last_resorts.begin(), plans.last_resorts.end(), is_slow)) {
        std::erase_if(plans.last_resorts, is_slow);
    }
}

}  // namespace

bool is_reference_kernel(const std::string& implementation) {
    return implementation.find("ref") != std::string::npos;
}

bool has_integer_kernel(LayerContext context) {
    context.type = DataType::i8;
    context.integers.input.element = context.integers.output.element = Element::s8;
    context.integers.residual.element = Element::s8;
    context.integers.weight_scales.assign(static_cast<std::size_t>(context.layer.out_channels), 1.0F);
    const ConvPlans plans = fused_plans(context, 1);
    return !plans.good.empty() ||
           std::any_of(plans.last_resorts.begin(), plans.last_resorts.end(),
                       [](const ConvPlan& plan) { return !is_reference_kernel(plan.name); });
}

ConvPlans conv_plans(const LayerContext& context) {
    ConvPlans plans = fused_plans(context, 4);
    if (context.layer.activation == Activation::silu && context.type == DataType::f32) {
        LayerContext plain = context;
        plain.layer.activation = Activation::none;
        for (const ConvPlan& conv : fused_plans(plain, 2).good) {
            plans.good.push_back({conv.name + silu_suffix, [build = conv.build](LayerContext where) {
                                      where.layer.activation = Activation::none;
                                      return std::make_unique<ConvThenSilu>(build(where),
                                                                            where.output.elements());
                                  }});
        }
    }
    leave_out_references(context, plans);
    if (plans.good.empty() && plans.last_resorts.empty()) {
        throw UnsupportedLayer("oneDNN has no convolution for " + context.layer.key());
    }
    return plans;
}

}  // namespace hacscale::cpu
