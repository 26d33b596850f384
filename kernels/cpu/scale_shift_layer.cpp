// Per-channel scale, shift and activation (a batch-norm that no conv can absorb): a hand-written kernel, one
// pass.
#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/cpu_layer.hpp"

namespace hacscale::cpu {
namespace {

template <typename Element>
class ScaleShiftLayer final : public CpuLayer {
public:
    explicit ScaleShiftLayer(const LayerContext& context)
        : shape_(context.input),
          chunks_(context.input),
          activation_(activation_of(context.layer)),
          values_(context.pool->take(2 * row_bytes(context))) {
        // Padding channels are scaled by zero, so that they come out as the zeros that blocked tensors hold
        // there.
        std::fill_n(values_.data(), values_.size(), std::byte{0});
    }

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), scale());
        std::copy(weights.bias.begin(), weights.bias.end(), shift());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        if (shape_.order == TensorShape::Order::plain) return scale_planes();
#pragma omp parallel for schedule(static)
        for (int i = 0; i < chunks_.count(); ++i) {
            const ChannelChunk chunk = chunks_[i];
            const Element* in = input_ + chunk.offset;
            Element* out = output_ + chunk.offset;
            scale_shift_pixels(in, out, chunks_.stride(), chunks_.pixels(), chunk.stored,
                               scale() + chunk.first_channel, shift() + chunk.first_channel, activation_);
        }
    }
    std::string implementation() const override {
        return "hacscale:scale_shift";
    }
    std::span<const std::byte> weights() const override {
        return values_;
    }

private:
    static std::size_t row_bytes(const LayerContext& context) {
        const int chunks = (context.input.channels + max_block_channels - 1) / max_block_channels;
        return static_cast<std::size_t>(chunks) * max_block_channels * sizeof(float);
    }
    // The pixels of a channel of a plain tensor are neighbours, and meet one scale and one shift.
    void scale_planes() {
        const int pixels = chunks_.pixels();
        const int whole = pixels / max_block_channels;
#pragma omp parallel for schedule(static)
        for (int i = 0; i < shape_.batch * shape_.channels; ++i) {
            float scales[max_block_channels];
            float shifts[max_block_channels];
            std::fill_n(scales, max_block_channels, scale()[i % shape_.channels]);
            std::fill_n(shifts, max_block_channels, shift()[i % shape_.channels]);
            const std::size_t first = static_cast<std::size_t>(i) * pixels;
            const std::size_t rest = first + static_cast<std::size_t>(whole) * max_block_channels;
            scale_shift_pixels(input_ + first, output_ + first, max_block_channels, whole, max_block_channels,
                               scales, shifts, activation_);
            scale_shift_pixels(input_ + rest, output_ + rest, max_block_channels, 1,
                               pixels % max_block_channels, scales, shifts, activation_);
        }
    }
    float* scale() {
        return reinterpret_cast<float*>(values_.data());
    }
    float* shift() {
        return reinterpret_cast<float*>(values_.data() + values_.size() / 2);
    }

    TensorShape shape_;
    ChannelChunks chunks_;
    ActivationStep activation_;
    std::span<std::byte> values_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_scale_shift(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<ScaleShiftLayer<float>>(context);
    return std::make_unique<ScaleShiftLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
