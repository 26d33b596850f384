// Sums, products and quotients with one number a channel or one a pixel, and with a learned map. In each order of a tensor, runs of
// neighbours meet either one number or as many: a run is a pixel of channels-last tensors, a channel of plain ones, a
// pixel's block of blocked ones.
#include <algorithm>

#include "kernels/cpu/activations.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"
#include "models/ops/broadcast.hpp"

namespace hacscale::cpu {
namespace {

constexpr std::size_t elements_of_step = 2048;

enum class Combination : std::uint8_t { sum, product, quotient };

// `step` is 0 where one number meets the whole run.
template <typename Element>
HACSCALE_INLINE void meet_in(Combination how, const Element* in, const float* other, std::size_t step,
                             float* out, std::size_t count) {
    if (how == Combination::sum) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) + other[i * step];
    } else if (how == Combination::product) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) * other[i * step];
    } else {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) / other[i * step];
    }
}

HACSCALE_PER_CPU
void meet(Combination how, const float* in, const float* other, std::size_t step, float* out,
          std::size_t count) {
    if (step == 0) return meet_in(how, in, other, 0, out, count);
    meet_in(how, in, other, 1, out, count);
}
HACSCALE_PER_CPU
void meet(Combination how, const BFloat16* in, const float* other, std::size_t step, float* out,
          std::size_t count) {
    if (step == 0) return meet_in(how, in, other, 0, out, count);
    meet_in(how, in, other, 1, out, count);
}

template <typename Element>
void combine_run(Combination how, const ActivationStep& activation, const Element* in, const float* other,
                 std::size_t step, Element* out, std::size_t count) {
    float values[elements_of_step];
    for (std::size_t first = 0; first < count; first += elements_of_step) {
        const std::size_t now = std::min(elements_of_step, count - first);
        meet(how, in + first, other + first * step, step, values, now);
        activate(activation, values, now);
        for (std::size_t i = 0; i < now; ++i) out[first + i] = Element(values[i]);
    }
}

// A tensor as runs of neighbours.
struct Runs {
    explicit Runs(const TensorShape& shape) : pixels(static_cast<std::size_t>(shape.height) * shape.width) {
        const bool plain = shape.order == TensorShape::Order::plain;
        by_channel = plain;
        length = plain ? pixels
                       : static_cast<std::size_t>(
                             shape.order == TensorShape::Order::blocked ? shape.block : shape.channels);
        channels = static_cast<std::size_t>(shape.padded_channels());
        an_image = channels * pixels / length;
        count = an_image * static_cast<std::size_t>(shape.batch);
    }

    std::size_t channel_of(std::size_t run) const {  // its first
        const std::size_t i = run % an_image;
        return by_channel ? i : i / pixels * length;
    }
    std::size_t pixel_of(std::size_t run) const { return by_channel ? 0 : run % an_image % pixels; }
    std::size_t image_of(std::size_t run) const { return run / an_image; }

    std::size_t pixels;
    std::size_t channels = 0;  // with padding
    std::size_t length = 0;
    std::size_t an_image = 0;
    std::size_t count = 0;
    bool by_channel = false;  // a run is of one channel, else of one pixel
};

template <typename Element>
class BroadcastLayer final : public CpuLayer {
public:
    explicit BroadcastLayer(const LayerContext& context)
        : how_(context.layer.kind == LayerKind::add ? Combination::sum
               : divides(context.layer.mode)        ? Combination::quotient
                                                    : Combination::product),
          spread_(spread_of(context.layer.mode)),
          activation_(activation_of(context.layer)),
          shape_(context.output),
          other_shape_(context.more_inputs.front()),
          type_(context.type),
          runs_(shape_),
          others_(static_cast<std::size_t>(shape_.batch) * others_an_image()),
          name_("hacscale:" + std::string(name_of(context.layer.kind)) + "_" +
                std::string(name_of(context.layer.mode))) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        other_ = reinterpret_cast<const Element*>(inputs.back());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        gather();
        const bool spreads_over_run = (spread_ == Spread::channels) == runs_.by_channel;
#pragma omp parallel for schedule(static)
        for (std::size_t run = 0; run < runs_.count; ++run) {
            const std::size_t at = spread_ == Spread::channels ? runs_.channel_of(run) : runs_.pixel_of(run);
            combine_run(how_, activation_, input_ + run * runs_.length,
                        others_.data() + runs_.image_of(run) * others_an_image() + at,
                        spreads_over_run ? 0 : 1, output_ + run * runs_.length, runs_.length);
        }
        zero_padding(shape_, type_, reinterpret_cast<std::byte*>(output_));
    }
    std::string implementation() const override {
        return name_;
    }

private:
    std::size_t others_an_image() const {
        return spread_ == Spread::channels ? runs_.channels : runs_.pixels;
    }
    // The second input in f32 and row by row, whatever its order.
    void gather() {
        for (int n = 0; n < shape_.batch; ++n) {
            float* const to = others_.data() + static_cast<std::size_t>(n) * others_an_image();
            for (int c = 0; c < other_shape_.channels; ++c) {
                for (int h = 0; h < other_shape_.height; ++h) {
                    for (int w = 0; w < other_shape_.width; ++w) {
                        const std::size_t i =
                            (static_cast<std::size_t>(c) * other_shape_.height + h) * other_shape_.width + w;
                        to[i] = static_cast<float>(other_[other_shape_.index(n, c, h, w)]);
                    }
                }
            }
        }
    }

    Combination how_;
    Spread spread_;
    ActivationStep activation_;
    TensorShape shape_;
    TensorShape other_shape_;
    DataType type_;
    Runs runs_;
    std::vector<float> others_;
    std::string name_;
    const Element* input_ = nullptr;
    const Element* other_ = nullptr;
    Element* output_ = nullptr;
};

template <typename Element>
class LearnedMapLayer final : public CpuLayer {
public:
    explicit LearnedMapLayer(const LayerContext& context)
        : scales_(context.layer.kind == LayerKind::map_scale),
          activation_(activation_of(context.layer)),
          shape_(context.output),
          image_(context.output),
          type_(context.type) {
        image_.batch = 1;
        map_ = context.pool->take(image_.elements() * sizeof(float));
    }

    void load(const LayerWeights& weights) override {
        write_tensor(scales_ ? weights.weights : weights.bias, image_, DataType::f32, map_.data());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const std::size_t elements = image_.elements();
        const std::size_t steps = (elements + elements_of_step - 1) / elements_of_step;
        const auto* const map = reinterpret_cast<const float*>(map_.data());
        const Combination how = scales_ ? Combination::product : Combination::sum;
#pragma omp parallel for schedule(static)
        for (std::size_t i = 0; i < steps * static_cast<std::size_t>(shape_.batch); ++i) {
            const std::size_t first = i % steps * elements_of_step;
            const std::size_t at = i / steps * elements + first;
            combine_run(how, activation_, input_ + at, map + first, 1, output_ + at,
                        std::min(elements_of_step, elements - first));
        }
        if (!keeps_zero(activation_.activation)) {
            zero_padding(shape_, type_, reinterpret_cast<std::byte*>(output_));
        }
    }
    std::string implementation() const override {
        return scales_ ? "hacscale:map_scale" : "hacscale:map_bias";
    }
    std::span<const std::byte> weights() const override {
        return map_;
    }

private:
    bool scales_;
    ActivationStep activation_;
    TensorShape shape_;
    TensorShape image_;
    DataType type_;
    std::span<std::byte> map_;  // f32, in the tensor's order
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

template <typename Element>
std::unique_ptr<CpuLayer> broadcast(const LayerContext& context) {
    const LayerKind kind = context.layer.kind;
    if (kind == LayerKind::map_bias || kind == LayerKind::map_scale)
        return std::make_unique<LearnedMapLayer<Element>>(context);
    return std::make_unique<BroadcastLayer<Element>>(context);
}

}  // namespace

std::unique_ptr<CpuLayer> make_broadcast(const LayerContext& context) {
    return context.type == DataType::f32 ? broadcast<float>(context) : broadcast<BFloat16>(context);
}

}  // namespace hacscale::cpu
