// The hand-written CPU kernels walk a tensor in chunks of up to sixteen channels of one image: a matrix of
// [pixels][width] elements with a fixed stride between pixels. Channels-last and blocked tensors are both
// made of such chunks, so each kernel is written once. A chunk is also the unit that threads share the work
// by.
#pragma once

#include <algorithm>

#include "kernels/cpu/activations.hpp"
#include "kernels/cpu/tensor.hpp"

namespace hacscale::cpu {

struct ChannelChunk {
    std::size_t offset = 0;  // elements from the tensor's start to the chunk's first
    int image = 0;
    int first_channel = 0;
    int width = 0;   // channels, without padding
    int stored = 0;  // with padding: a kernel writes zeros there, because the next layer relies on them
};

class ChannelChunks {
public:
    explicit ChannelChunks(const TensorShape& shape)
        : shape_(shape),
          channels_(shape.order == TensorShape::Order::blocked ? shape.block : max_block_channels),
          per_image_((shape.channels + channels_ - 1) / channels_) {}

    int count() const { return per_image_ * shape_.batch; }
    int pixels() const { return shape_.height * shape_.width; }
    // Elements between neighbouring pixels of a chunk.
    std::ptrdiff_t stride() const {
        return shape_.order == TensorShape::Order::blocked ? channels_ : shape_.channels;
    }
    ChannelChunk operator[](int index) const {
        const int image = index / per_image_;
        const int first = index % per_image_ * channels_;
        const int width = std::min(channels_, shape_.channels - first);
        const bool padded = shape_.order == TensorShape::Order::blocked;
        return {shape_.index(image, first, 0, 0), image, first, width, padded ? channels_ : width};
    }

private:
    TensorShape shape_;
    int channels_;  // of a full chunk
    int per_image_;
};

// ---- Kernels over one chunk. `values` have sixteen entries; the ones from `width` on are not used. ----

// sums[c] = sum over the pixels
void sum_pixels(const float* in, std::ptrdiff_t stride, int pixels, int width, float* sums);
void sum_pixels(const BFloat16* in, std::ptrdiff_t stride, int pixels, int width, float* sums);
// sums[c] = sum over the pixels of the squared distance from centers[c]
void sum_squares(const float* in, std::ptrdiff_t stride, int pixels, int width, const float* centers,
                 float* sums);
void sum_squares(const BFloat16* in, std::ptrdiff_t stride, int pixels, int width, const float* centers,
                 float* sums);
// out = in * factors[c]
void scale_pixels(const float* in, float* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* factors);
void scale_pixels(const BFloat16* in, BFloat16* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* factors);
// out = activation(in * scale[c] + shift[c])
void scale_shift_pixels(const float* in, float* out, std::ptrdiff_t stride, int pixels, int width,
                        const float* scale, const float* shift, const ActivationStep& step);
void scale_shift_pixels(const BFloat16* in, BFloat16* out, std::ptrdiff_t stride, int pixels, int width,
                        const float* scale, const float* shift, const ActivationStep& step);
// ---- Kernels over whole channels-last pixels ----

// sums[c] += sum over the pixels, for `channels` channels
void add_pixel_rows(const float* in, int pixels, int channels, float* sums);
void add_pixel_rows(const BFloat16* in, int pixels, int channels, float* sums);
// out = in * factors[c]
void scale_pixel_rows(const float* in, float* out, int pixels, int channels, const float* factors);
void scale_pixel_rows(const BFloat16* in, BFloat16* out, int pixels, int channels, const float* factors);

// sums[c] += sum over the pixels of the squared distance from centers[c]
void add_square_rows(const float* in, int pixels, int channels, const float* centers, float* sums);
void add_square_rows(const BFloat16* in, int pixels, int channels, const float* centers, float* sums);
// out = activation(in * scale[c] + shift[c])
void scale_shift_pixel_rows(const float* in, float* out, int pixels, int channels, const float* scale,
                            const float* shift, const ActivationStep& step);
void scale_shift_pixel_rows(const BFloat16* in, BFloat16* out, int pixels, int channels, const float* scale,
                            const float* shift, const ActivationStep& step);

// ---- Vectors ----

// sum over i of a[i] * b[i]
float dot(const float* a, const float* b, int count);
// sums[r] = dot of x and row r of four rows, `stride` numbers apart
void dot4(const float* rows, std::ptrdiff_t stride, const float* x, int count, float sums[4]);

}  // namespace hacscale::cpu
