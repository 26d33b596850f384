// Squeeze-excite as one hand-written kernel: means, both products, and the scaling run in one parallel
// region, so that the threads meet three times instead of starting six library calls. Each thread reads the
// part of the tensor that oneDNN's depthwise conv wrote on the same core (rows of pixels when channels-last,
// blocks of channels when blocked), and scales that part in the end: moving a tensor between cores costs more
// than all the arithmetic here.
#include <omp.h>

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
          weights_(context.pool->take(packed_count() * sizeof(float))),
          by_pixels_(context.input.order == TensorShape::Order::channels_last),
          threads_(omp_get_max_threads()),
          parts_(by_pixels_ ? threads_ : 1),
          sums_(static_cast<std::size_t>(parts_) * batch_ * layer_.in_channels),
          hidden_(static_cast<std::size_t>(batch_) * layer_.squeeze_channels),
          gates_(static_cast<std::size_t>(batch_) * layer_.in_channels) {}

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), reduce());
        std::copy(weights.bias.begin(), weights.bias.end(), reduce_bias());
        std::copy(weights.weights2.begin(), weights.weights2.end(), expand());
        std::copy(weights.bias2.begin(), weights.bias2.end(), expand_bias());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
#pragma omp parallel num_threads(threads_)
        {
            const int thread = omp_get_thread_num();
            if (by_pixels_) {
                sum_rows(thread);
            } else {
#pragma omp for schedule(static)
                for (int i = 0; i < chunks_.count(); ++i) sum_chunk(chunks_[i]);
            }
#pragma omp barrier
#pragma omp for schedule(static)
            for (int i = 0; i < batch_ * layer_.squeeze_channels; ++i) reduce_to(i);
#pragma omp for schedule(static)
            for (int i = 0; i < batch_ * layer_.in_channels; ++i) gate_of(i);
            if (by_pixels_) {
                scale_rows(thread);
            } else {
#pragma omp for schedule(static)
                for (int i = 0; i < chunks_.count(); ++i) scale_chunk(chunks_[i]);
            }
        }
    }
    std::string implementation() const override {
        return "hacscale:squeeze_excite";
    }
    std::span<const std::byte> weights() const override {
        return weights_;
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

    std::size_t channels() const {
        return static_cast<std::size_t>(layer_.in_channels);
    }
    // The pixels that one thread owns, of each image.
    int first_pixel(int thread) const {
        return static_cast<int>(static_cast<std::int64_t>(chunks_.pixels()) * thread / threads_);
    }
    float* sums_of(int thread, int image) {
        return &sums_[(static_cast<std::size_t>(thread) * batch_ + image) * channels()];
    }

    void sum_rows(int thread) {
        const int begin = first_pixel(thread);
        for (int image = 0; image < batch_; ++image) {
            float* sums = sums_of(thread, image);
            std::fill_n(sums, channels(), 0.0F);
            const std::size_t row = static_cast<std::size_t>(image) * chunks_.pixels() + begin;
            add_pixel_rows(input_ + row * channels(), first_pixel(thread + 1) - begin, layer_.in_channels,
                           sums);
        }
    }
    void sum_chunk(const ChannelChunk& chunk) {
        float sums[max_block_channels];
        sum_pixels(input_ + chunk.offset, chunks_.stride(), chunks_.pixels(), chunk.width, sums);
        std::copy_n(sums, chunk.width, sums_of(0, chunk.image) + chunk.first_channel);
    }
    // The first product, of the means; its rows are short enough that each thread adds up the threads' sums
    // itself.
    void reduce_to(int index) {
        const int image = index / layer_.squeeze_channels;
        const int row = index % layer_.squeeze_channels;
        const float* weights = reduce() + static_cast<std::size_t>(row) * channels();
        float sum = 0.0F;
        for (int part = 0; part < parts_; ++part) {
            sum += dot(weights, sums_of(part, image), layer_.in_channels);
        }
        const float mean = sum / static_cast<float>(chunks_.pixels());
        hidden_[index] = activate(activation_of(layer_), reduce_bias()[row] + mean);
    }
    void gate_of(int index) {
        const int image = index / layer_.in_channels;
        const int channel = index % layer_.in_channels;
        const float* hidden = &hidden_[static_cast<std::size_t>(image) * layer_.squeeze_channels];
        const float* weights = expand() + static_cast<std::size_t>(channel) * layer_.squeeze_channels;
        gates_[index] = activate({layer_.gate, 0.0F},
                                 expand_bias()[channel] + dot(weights, hidden, layer_.squeeze_channels));
    }
    void scale_rows(int thread) {
        const int begin = first_pixel(thread);
        for (int image = 0; image < batch_; ++image) {
            const std::size_t row = static_cast<std::size_t>(image) * chunks_.pixels() + begin;
            scale_pixel_rows(input_ + row * channels(), output_ + row * channels(),
                             first_pixel(thread + 1) - begin, layer_.in_channels,
                             &gates_[static_cast<std::size_t>(image) * channels()]);
        }
    }
    void scale_chunk(const ChannelChunk& chunk) {
        float gates[max_block_channels] = {};
        std::copy_n(&gates_[static_cast<std::size_t>(chunk.image) * channels() + chunk.first_channel],
                    chunk.width, gates);
        scale_pixels(input_ + chunk.offset, output_ + chunk.offset, chunks_.stride(), chunks_.pixels(),
                     chunk.stored, gates);
    }

    LayerSpec layer_;
    int batch_;
    ChannelChunks chunks_;
    std::span<std::byte> weights_;
    bool by_pixels_;
    int threads_;
    int parts_;                  // how many threads' sums there are to add up
    std::vector<float> sums_;    // [part][image][channel]
    std::vector<float> hidden_;  // [image][squeeze channel]
    std::vector<float> gates_;   // [image][channel]
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_squeeze_excite(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<SqueezeExciteLayer<float>>(context);
    return std::make_unique<SqueezeExciteLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
