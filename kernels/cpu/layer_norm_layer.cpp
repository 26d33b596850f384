// A norm over the channels of each pixel, one pass over memory: a few pixels at a time stay in the first cache for the mean,
// the variance and the result. Both layouts are chunks of up to sixteen channels, so one kernel serves both.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/channel_moves.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

constexpr int lanes = max_block_channels;
constexpr int pixels_a_tile = 8;

// Where the chunks of channels of a pixel are.
struct ChunkWalk {
    int channels = 0;
    int chunk = lanes;                // channels of a full one
    std::ptrdiff_t chunk_stride = 0;  // elements between chunks of one pixel
    std::ptrdiff_t pixel_stride = 0;
    bool padded = false;  // the last chunk is stored in full

    int chunks() const { return (channels + chunk - 1) / chunk; }
    int width(int index) const { return std::min(chunk, channels - index * chunk); }
    int stored(int index) const { return padded ? chunk : width(index); }
};

// sums[p] = the sum over the channels of pixel p of value(element, p)
template <typename Element, typename Value>
HACSCALE_INLINE void sum_channels(const ChunkWalk& walk, const Element* in, int pixels, float* sums,
                                  Value value) {
    float partial[pixels_a_tile][lanes] = {};
    for (int b = 0; b < walk.chunks(); ++b) {
        const Element* chunk = in + b * walk.chunk_stride;
        const int width = walk.width(b);
        for (int p = 0; p < pixels; ++p, chunk += walk.pixel_stride) {
            if (width == lanes) {
                for (int c = 0; c < lanes; ++c) partial[p][c] += value(static_cast<float>(chunk[c]), p);
            } else {
                for (int c = 0; c < width; ++c) partial[p][c] += value(static_cast<float>(chunk[c]), p);
            }
        }
    }
    for (int p = 0; p < pixels; ++p) {
        sums[p] = 0.0F;
        for (const float part : partial[p]) sums[p] += part;
    }
}

template <typename Element>
HACSCALE_INLINE void normalize_in(const ChunkWalk& walk, const Element* in, Element* out, int pixels,
                                  const float* scale, const float* shift, float epsilon) {
    const float channels = static_cast<float>(walk.channels);
    float means[pixels_a_tile];
    float factors[pixels_a_tile];
    sum_channels(
        walk, in, pixels, means, [](float x, int) __attribute__((always_inline)) { return x; });
    for (int p = 0; p < pixels; ++p) means[p] /= channels;
    sum_channels(
        walk, in, pixels, factors, [&](float x, int p) __attribute__((always_inline)) {
            return (x - means[p]) * (x - means[p]);
        });
    for (int p = 0; p < pixels; ++p) factors[p] = 1.0F / std::sqrt(factors[p] / channels + epsilon);
    for (int b = 0; b < walk.chunks(); ++b) {
        const float* const scales = scale + b * walk.chunk;
        const float* const shifts = shift + b * walk.chunk;
        const int stored = walk.stored(b);
        for (int p = 0; p < pixels; ++p) {
            const Element* const from = in + b * walk.chunk_stride + p * walk.pixel_stride;
            Element* const to = out + b * walk.chunk_stride + p * walk.pixel_stride;
            for (int c = 0; c < stored; ++c) {
                to[c] =
                    Element((static_cast<float>(from[c]) - means[p]) * factors[p] * scales[c] + shifts[c]);
            }
        }
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
    walk.chunk_stride =
        walk.padded ? static_cast<std::ptrdiff_t>(shape.height) * shape.width * shape.block : lanes;
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
