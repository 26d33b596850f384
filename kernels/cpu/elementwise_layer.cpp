// Layers that compute each element from one element of each input: an activation, a sum, a product, a quotient. Hand-written: one pass
// over the memory, in steps that stay in a core's first cache from the sum to the activation.
#include <algorithm>

#include "kernels/cpu/activations.hpp"
#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"
#include "models/ops/broadcast.hpp"

namespace hacscale::cpu {
namespace {

constexpr std::size_t elements_a_step = 2048;

struct LayerForm {
    LayerKind kind;
    bool divides;
};

// out = a, a + b, a * b, or a / b. `out` may be `a` or `b`.
template <typename Element>
HACSCALE_INLINE void combine_in(const LayerForm& form, const Element* a, const Element* b, float* out,
                                std::size_t count) {
    if (form.divides) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(a[i]) / static_cast<float>(b[i]);
    } else if (form.kind == LayerKind::add) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(a[i]) + static_cast<float>(b[i]);
    } else if (form.kind == LayerKind::multiply) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(a[i]) * static_cast<float>(b[i]);
    } else {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(a[i]);
    }
}

HACSCALE_PER_CPU
void combine(const LayerForm& form, const float* a, const float* b, float* out, std::size_t count) {
    combine_in(form, a, b, out, count);
}
HACSCALE_PER_CPU
void combine(const LayerForm& form, const BFloat16* a, const BFloat16* b, float* out, std::size_t count) {
    combine_in(form, a, b, out, count);
}
HACSCALE_PER_CPU
void store(const float* values, BFloat16* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = BFloat16(values[i]);
}

void step(const LayerForm& form, const ActivationStep& activation, const float* a, const float* b, float* out,
          std::size_t count) {
    combine(form, a, b, out, count);
    activate(activation, out, count);
}
void step(const LayerForm& form, const ActivationStep& activation, const BFloat16* a, const BFloat16* b,
          BFloat16* out, std::size_t count) {
    float values[elements_a_step];
    combine(form, a, b, values, count);
    activate(activation, values, count);
    store(values, out, count);
}

constexpr DataType type_of(const float*) {
    return DataType::f32;
}
constexpr DataType type_of(const BFloat16*) {
    return DataType::bf16;
}

template <typename Element>
class ElementwiseLayer final : public CpuLayer {
public:
    explicit ElementwiseLayer(const LayerContext& context)
        : form_{context.layer.kind, context.layer.mode == Mode::divide},
          activation_(activation_of(context.layer)),
          shape_(context.output),
          name_("hacscale:" + std::string(form_.divides ? name_of(Mode::divide) : name_of(form_.kind))) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        first_ = reinterpret_cast<const Element*>(inputs.front());
        second_ = reinterpret_cast<const Element*>(inputs.back());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const std::size_t elements = shape_.elements();
        const auto steps = static_cast<std::ptrdiff_t>((elements + elements_a_step - 1) / elements_a_step);
#pragma omp parallel for schedule(static)
        for (std::ptrdiff_t i = 0; i < steps; ++i) {
            const std::size_t begin = static_cast<std::size_t>(i) * elements_a_step;
            step(form_, activation_, first_ + begin, second_ + begin, output_ + begin,
                 std::min(elements_a_step, elements - begin));
        }
        if (form_.divides || !keeps_zero(activation_.activation)) {
            zero_padding(shape_, type_of(output_), reinterpret_cast<std::byte*>(output_));
        }
    }
    std::string implementation() const override {
        return name_;
    }

private:
    LayerForm form_;
    ActivationStep activation_;
    TensorShape shape_;
    std::string name_;
    const Element* first_ = nullptr;
    const Element* second_ = nullptr;
    Element* output_ = nullptr;
};

// The product with one number a channel, which is in any order. Channels-last tensors are gone through by rows of
// pixels, blocked ones by blocks.
template <typename Element>
class ChannelGateLayer final : public CpuLayer {
public:
    explicit ChannelGateLayer(const LayerContext& context)
        : shape_(context.output),
          gate_shape_(context.more_inputs.front()),
          activation_(activation_of(context.layer)),
          chunks_(shape_),
          gates_(static_cast<std::size_t>(shape_.batch) * gate_row()),
          no_shift_(gate_row()) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        gate_ = reinterpret_cast<const Element*>(inputs.back());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        for (int n = 0; n < shape_.batch; ++n) {
            for (int c = 0; c < shape_.channels; ++c) {
                gates_[n * gate_row() + c] = static_cast<float>(gate_[gate_shape_.index(n, c, 0, 0)]);
            }
        }
        const bool by_rows =
            shape_.order == TensorShape::Order::channels_last && activation_.activation == Activation::none;
        if (by_rows) {
            const int rows = shape_.batch * shape_.height;
            const std::size_t row = static_cast<std::size_t>(shape_.width) * shape_.channels;
#pragma omp parallel for schedule(static)
            for (int i = 0; i < rows; ++i) {
                scale_pixel_rows(input_ + i * row, output_ + i * row, shape_.width, shape_.channels,
                                 gates_of(i / shape_.height));
            }
            return;
        }
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            scale_shift_pixels(input_ + chunk.offset, output_ + chunk.offset, chunks_.stride(),
                               chunks_.pixels(), chunk.stored, gates_of(chunk.image) + chunk.first_channel,
                               no_shift_.data(), activation_);
        }
        if (!keeps_zero(activation_.activation)) {
            zero_padding(shape_, type_of(output_), reinterpret_cast<std::byte*>(output_));
        }
    }
    std::string implementation() const override {
        return "hacscale:channel_gate";
    }

private:
    std::size_t gate_row() const {
        return static_cast<std::size_t>(shape_.padded_channels()) + max_block_channels;
    }
    const float* gates_of(int image) const {
        return gates_.data() + static_cast<std::size_t>(image) * gate_row();
    }

    TensorShape shape_;
    TensorShape gate_shape_;
    ActivationStep activation_;
    ChannelChunks chunks_;
    std::vector<float> gates_;  // [image][channel], zeros for padding
    std::vector<float> no_shift_;
    const Element* input_ = nullptr;
    const Element* gate_ = nullptr;
    Element* output_ = nullptr;
};

// out = x, or slopes[c] * x where it is below zero
template <typename Element>
HACSCALE_INLINE void prelu_pixels_in(const Element* in, Element* out, std::ptrdiff_t stride, int pixels,
                                     int width, const float* __restrict slopes) {
    for (int p = 0; p < pixels; ++p, in += stride, out += stride) {
        for (int c = 0; c < width; ++c) {
            const auto x = static_cast<float>(in[c]);
            out[c] = Element(std::max(x, 0.0F) + slopes[c] * std::min(x, 0.0F));
        }
    }
}
HACSCALE_PER_CPU
void prelu_pixels(const float* in, float* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* slopes) {
    prelu_pixels_in(in, out, stride, pixels, width, slopes);
}
HACSCALE_PER_CPU
void prelu_pixels(const BFloat16* in, BFloat16* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* slopes) {
    prelu_pixels_in(in, out, stride, pixels, width, slopes);
}

template <typename Element>
class PreluLayer final : public CpuLayer {
public:
    explicit PreluLayer(const LayerContext& context)
        : shape_(context.output),
          chunks_(shape_),
          slopes_(context.pool->take((shape_.padded_channels() + max_block_channels) * sizeof(float))) {
        std::fill_n(slopes_.data(), slopes_.size(), std::byte{0});
    }

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), reinterpret_cast<float*>(slopes_.data()));
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const auto* const slopes = reinterpret_cast<const float*>(slopes_.data());
        if (shape_.order == TensorShape::Order::channels_last) {
            const int rows = shape_.batch * shape_.height;
            const std::size_t row = static_cast<std::size_t>(shape_.width) * shape_.channels;
#pragma omp parallel for schedule(static)
            for (int i = 0; i < rows; ++i) {
                prelu_pixels(input_ + i * row, output_ + i * row, shape_.channels, shape_.width,
                             shape_.channels, slopes);
            }
            return;
        }
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            prelu_pixels(input_ + chunk.offset, output_ + chunk.offset, chunks_.stride(), chunks_.pixels(),
                         chunk.stored, slopes + chunk.first_channel);
        }
    }
    std::string implementation() const override {
        return "hacscale:prelu";
    }
    std::span<const std::byte> weights() const override {
        return slopes_;
    }

private:
    TensorShape shape_;
    ChannelChunks chunks_;
    std::span<std::byte> slopes_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

template <typename Element>
std::unique_ptr<CpuLayer> elementwise(const LayerContext& context) {
    if (context.layer.kind == LayerKind::prelu) return std::make_unique<PreluLayer<Element>>(context);
    const bool gate = context.layer.kind == LayerKind::multiply && context.layer.mode == Mode::per_channel;
    if (gate && context.output.order != TensorShape::Order::plain) {
        return std::make_unique<ChannelGateLayer<Element>>(context);
    }
    if (spread_of(context.layer.mode) != Spread::none) return make_broadcast(context);
    return std::make_unique<ElementwiseLayer<Element>>(context);
}

}  // namespace

std::unique_ptr<CpuLayer> make_elementwise(const LayerContext& context) {
    return context.type == DataType::f32 ? elementwise<float>(context) : elementwise<BFloat16>(context);
}

}  // namespace hacscale::cpu
