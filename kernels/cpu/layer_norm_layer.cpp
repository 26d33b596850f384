// A norm over the channels of each pixel, one pass over memory: a pixel stays in the first cache for the mean, the variance
// and the result. Both layouts are chunks of up to sixteen channels, so one kernel serves both.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/channel_moves.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

constexpr int pixels_a_tile = 16;  // of one thread

// Where the chunks of channels of a pixel are.
struct ChunkWalk {
    int channels = 0;
    int chunk = max_block_channels;   // channels of a full one: 8 or 16
    std::ptrdiff_t chunk_stride = 0;  // elements between chunks of one pixel
    std::ptrdiff_t pixel_stride = 0;
    bool padded = false;  // the last chunk is stored in full
    Mode mode = Mode::plain;

    int chunks() const { return (channels + chunk - 1) / chunk; }
};

// The sum over one pixel's channels of value(element). `Chunk`: channels of a full chunk.
template <int Chunk, typename Element, typename Value>
HACSCALE_INLINE float sum_channels(const ChunkWalk& walk, const Element* pixel, Value value) {
    float partial[Chunk] = {};
    int left = walk.channels;
    for (; left >= Chunk; left -= Chunk, pixel += walk.chunk_stride) {
        for (int c = 0; c < Chunk; ++c) partial[c] += value(static_cast<float>(pixel[c]));
    }
    for (int c = 0; c < left; ++c) partial[c] += value(static_cast<float>(pixel[c]));
    for (int half = Chunk / 2; half > 0; half /= 2) {
        for (int c = 0; c < half; ++c) partial[c] += partial[c + half];
    }
    return partial[0];
}

template <int Chunk, typename Element>
HACSCALE_INLINE void normalize_chunks(const ChunkWalk& walk, const Element* in, Element* out, int pixels,
                                      const float* __restrict scale, const float* __restrict shift,
                                      float epsilon) {
    const float share = 1.0F / static_cast<float>(walk.channels);
    for (int p = 0; p < pixels; ++p, in += walk.pixel_stride, out += walk.pixel_stride) {
        const float mean =
            walk.mode == Mode::root_mean_square
                ? 0.0F
                : share * sum_channels<Chunk>(
                              walk, in, [](float x) __attribute__((always_inline)) { return x; });
        const float variance = share * sum_channels<Chunk>(
                                           walk, in, [mean](float x) __attribute__((always_inline)) {
                                               return (x - mean) * (x - mean);
                                           });
        const float factor = 1.0F / std::sqrt(variance + epsilon);
        const float center = walk.mode == Mode::plain ? mean : 0.0F;
        const auto normalize_chunk = [&](std::ptrdiff_t at, int first, int width)
            __attribute__((always_inline)) {
            float values[Chunk];  // no scale can be in the output's place
            for (int c = 0; c < width; ++c) {
                values[c] =
                    (static_cast<float>(in[at + c]) - center) * factor * scale[first + c] + shift[first + c];
            }
            for (int c = 0; c < width; ++c) out[at + c] = Element(values[c]);
        };
        int first = 0;
        std::ptrdiff_t at = 0;
        for (; first + Chunk <= walk.channels; first += Chunk, at += walk.chunk_stride) {
            normalize_chunk(at, first, Chunk);
        }
        if (first < walk.channels) normalize_chunk(at, first, walk.padded ? Chunk : walk.channels - first);
    }
}

template <typename Element>
HACSCALE_INLINE void normalize_in(const ChunkWalk& walk, const Element* in, Element* out, int pixels,
                                  const float* scale, const float* shift, float epsilon) {
    if (walk.chunk == max_block_channels) {
        normalize_chunks<max_block_channels>(walk, in, out, pixels, scale, shift, epsilon);
    } else {
        normalize_chunks<max_block_channels / 2>(walk, in, out, pixels, scale, shift, epsilon);
    }
}

HACSCALE_PER_CPU
void normalize(const ChunkWalk& walk, const float* in, float* out, int pixels, const float* scale,
               const float* shift, float epsilon) {
    normalize_in(walk, in, out, pixels, scale, shift, epsilon);
}
HACSCALE_PER_CPU
void normalize(const ChunkWalk& walk, const BFloat16* in, BFloat16* out, int pixels, const float* scale,
               const float* shift, float epsilon) {
    normalize_in(walk, in, out, pixels, scale, shift, epsilon);
}

ChunkWalk walk_of(const TensorShape& shape) {
    ChunkWalk walk;
    walk.channels = shape.channels;
    walk.padded = shape.order == TensorShape::Order::blocked;
    if (walk.padded) walk.chunk = shape.block;
    walk.pixel_stride = pixel_stride(shape);
    walk.chunk_stride = walk.padded ? static_cast<std::ptrdiff_t>(shape.height) * shape.width * shape.block
                                    : max_block_channels;
    return walk;
}

template <typename Element>
class LayerNormLayer final : public CpuLayer {
public:
    explicit LayerNormLayer(const LayerContext& context)
        : shape_(context.input),
          walk_(walk_of(shape_)),
          epsilon_(context.layer.epsilon.value()),
          row_(static_cast<std::size_t>(walk_.chunks()) * walk_.chunk),
          values_(context.pool->take(2 * row_ * sizeof(float))) {
        walk_.mode = context.layer.mode;
        // Padding channels are scaled by zero, so that they come out as the zeros that blocked tensors hold there.
        std::fill_n(values_.data(), values_.size(), std::byte{0});
    }

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), scale());
        std::copy(weights.bias.begin(), weights.bias.end(), scale() + row_);
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
        const int pixels = shape_.height * shape_.width;
        const int tiles = (pixels + pixels_a_tile - 1) / pixels_a_tile;
#pragma omp parallel for schedule(static)
        for (int i = 0; i < shape_.batch * tiles; ++i) {
            const int first = i % tiles * pixels_a_tile;
            const std::size_t at =
                static_cast<std::size_t>(i / tiles) * image_elements(shape_) + first * walk_.pixel_stride;
            normalize(walk_, input_ + at, output_ + at, std::min(pixels_a_tile, pixels - first), scale(),
                      scale() + row_, epsilon_);
        }
    }
    std::string implementation() const override {
        return "hacscale:layer_norm";
    }
    std::span<const std::byte> weights() const override {
        return values_;
    }

private:
    float* scale() {
        return reinterpret_cast<float*>(values_.data());
    }

    TensorShape shape_;
    ChunkWalk walk_;
    float epsilon_;
    std::size_t row_;  // scales, then as many shifts
    std::span<std::byte> values_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_layer_norm(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<LayerNormLayer<float>>(context);
    return std::make_unique<LayerNormLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
