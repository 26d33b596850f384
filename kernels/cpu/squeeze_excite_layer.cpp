// Squeeze-excite as one hand-written kernel: means, both products, and the scaling run in one parallel
// region, so that the threads meet twice instead of starting six library calls.
#include <algorithm>

#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/cpu_layer.hpp"

namespace hacscale::cpu {
namespace {

template <typename Element>
class SqueezeExciteLayer final : public CpuLayer {
public:
    explicit SqueezeExciteLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          chunks_(context.input),
          weights_(packed_count() * sizeof(float)),
          means_(static_cast<std::size_t>(batch_) * layer_.in_channels),
          hidden_(static_cast<std::size_t>(batch_) * layer_.squeeze_channels) {}

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), reduce());
        std::copy(weights.bias.begin(), weights.bias.end(), reduce_bias());
        std::copy(weights.weights2.begin(), weights.weights2.end(), expand());
        std::copy(weights.bias2.begin(), weights.bias2.end(), expand_bias());
    }
    void bind(const std::byte* input, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(input);
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
#pragma omp parallel
        {
#pragma omp for schedule(static)
            for (int i = 0; i < chunks_.count(); ++i) mean_of(chunks_[i]);
#pragma omp for schedule(static)
            for (int i = 0; i < batch_ * layer_.squeeze_channels; ++i) reduce_to(i);
                // The same thread scales the chunk that it averaged: its part of the input is still in its
                // cache.
#pragma omp for schedule(static)
            for (int i = 0; i < chunks_.count(); ++i) scale(chunks_[i]);
        }
    }
    std::string implementation() const override {
        return "hacscale:squeeze_excite";
    }
    std::span<const std::byte> weights() const override {
        return {weights_.data(), weights_.size()};
    }

private:
    std::size_t matrix_count() const {
        return static_cast<std::size_t>(layer_.in_channels) * layer_.squeeze_channels;
    }
    std::size_t packed_count() const {
        return 2 * matrix_count() + layer_.squeeze_channels + layer_.in_channels;
    }
    float* reduce() {
        return reinterpret_cast<float*>(weights_.data());
    }
    float* reduce_bias() {
        return reduce() + matrix_count();
    }
    float* expand() {
        return reduce_bias() + layer_.squeeze_channels;
    }
    float* expand_bias() {
        return expand() + matrix_count();
    }

    void mean_of(const ChannelChunk& chunk) {
        float sums[block_channels];
        sum_pixels(input_ + chunk.offset, chunks_.stride(), chunks_.pixels(), chunk.width, sums);
        float* means =
            &means_[static_cast<std::size_t>(chunk.image) * layer_.in_channels + chunk.first_channel];
        for (int c = 0; c < chunk.width; ++c) means[c] = sums[c] / static_cast<float>(chunks_.pixels());
    }
    void reduce_to(int index) {
        const int image = index / layer_.squeeze_channels;
        const int row = index % layer_.squeeze_channels;
        const float* means = &means_[static_cast<std::size_t>(image) * layer_.in_channels];
        const float* weights = reduce() + static_cast<std::size_t>(row) * layer_.in_channels;
        hidden_[index] =
            activate(layer_.activation, reduce_bias()[row] + dot(weights, means, layer_.in_channels));
    }
    void scale(const ChannelChunk& chunk) {
        const float* hidden = &hidden_[static_cast<std::size_t>(chunk.image) * layer_.squeeze_channels];
        float gates[block_channels] = {};
        for (int c = 0; c < chunk.width; ++c) {
            const int channel = chunk.first_channel + c;
            const float* weights = expand() + static_cast<std::size_t>(channel) * layer_.squeeze_channels;
            gates[c] =
                activate(layer_.gate, expand_bias()[channel] + dot(weights, hidden, layer_.squeeze_channels));
        }
        scale_pixels(input_ + chunk.offset, output_ + chunk.offset, chunks_.stride(), chunks_.pixels(),
                     chunk.stored, gates);
    }

    LayerSpec layer_;
    int batch_;
    ChannelChunks chunks_;
    Buffer weights_;
    std::vector<float> means_;
    std::vector<float> hidden_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_squeeze_excite(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<SqueezeExciteLayer<float>>(context);
    return std::make_unique<SqueezeExciteLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
