// Layers that bring whole pixels to other places: zeros around a map, and maps of another size. Both layouts are planes of
// pixels (channels-last one an image, of all channels; blocked one a block of channels), so each kernel is written once.
// Threads share the rows of the output.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/channel_moves.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"
#include "models/ops/resize.hpp"

namespace hacscale::cpu {
namespace {

class Planes {
public:
    explicit Planes(const TensorShape& shape)
        : pixel_(static_cast<std::size_t>(pixel_stride(shape))),
          count_(static_cast<int>(shape.elements() / pixel_ / shape.height / shape.width)),
          height_(shape.height),
          width_(shape.width) {}

    int rows() const { return count_ * height_; }
    int height() const { return height_; }
    int width() const { return width_; }
    std::size_t pixel() const { return pixel_; }  // elements
    std::size_t row_elements() const { return pixel_ * static_cast<std::size_t>(width_); }
    std::size_t row_of(int plane, int row) const {  // elements before it
        return (static_cast<std::size_t>(plane) * height_ + row) * row_elements();
    }

private:
    std::size_t pixel_;
    int count_;
    int height_;
    int width_;
};

class PadLayer final : public CpuLayer {
public:
    explicit PadLayer(const LayerContext& context)
        : pads_(context.layer.window.pads),
          in_(context.input),
          out_(context.output),
          element_(size_of(context.type)) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = inputs.front();
        output_ = output;
    }
    void execute() override {
        const std::size_t left = static_cast<std::size_t>(pads_[1]) * out_.pixel() * element_;
        const std::size_t row = in_.row_elements() * element_;
        const std::size_t whole = out_.row_elements() * element_;
#pragma omp parallel for schedule(static)
        for (int i = 0; i < out_.rows(); ++i) {
            std::byte* const to = output_ + static_cast<std::size_t>(i) * whole;
            const int from_row = i % out_.height() - pads_[0];
            if (from_row < 0 || from_row >= in_.height()) {
                std::memset(to, 0, whole);
                continue;
            }
            std::memset(to, 0, left);
            std::memcpy(to + left, input_ + in_.row_of(i / out_.height(), from_row) * element_, row);
            std::memset(to + left + row, 0, whole - left - row);
        }
    }
    std::string implementation() const override {
        return "hacscale:pad";
    }

private:
    std::array<int, 4> pads_;
    Planes in_, out_;
    std::size_t element_;
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
};

std::vector<ResizeTaps> taps_of(Mode mode, int in_size, int out_size) {
    std::vector<ResizeTaps> taps;
    for (int i = 0; i < out_size; ++i) taps.push_back(resize_taps(mode, i, in_size, out_size));
    return taps;
}

// One row of the output from one row of the input.
template <typename Element>
HACSCALE_INLINE void nearest_row_in(const std::vector<ResizeTaps>& columns, std::size_t pixel,
                                    const Element* in, Element* out) {
    for (const ResizeTaps& column : columns) {
        const Element* const from = in + static_cast<std::size_t>(column.low) * pixel;
        if (pixel == max_block_channels) {  // a size that the compiler knows needs no call
            std::memcpy(out, from, max_block_channels * sizeof(Element));
        } else {
            std::memcpy(out, from, pixel * sizeof(Element));
        }
        out += pixel;
    }
}

// From two rows, between which the output's is at `share`.
template <typename Element>
HACSCALE_INLINE void bilinear_row_in(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share,
                                     const Element* top, const Element* bottom, Element* __restrict out) {
    for (const ResizeTaps& column : columns) {
        const std::size_t low = static_cast<std::size_t>(column.low) * pixel;
        const std::size_t high = static_cast<std::size_t>(column.high) * pixel;
        const auto right = static_cast<float>(column.share);
        for (std::size_t c = 0; c < pixel; ++c) {
            const auto a = static_cast<float>(top[low + c]);
            const auto b = static_cast<float>(bottom[low + c]);
            const float above = a + right * (static_cast<float>(top[high + c]) - a);
            const float below = b + right * (static_cast<float>(bottom[high + c]) - b);
            out[c] = Element(above + share * (below - above));
        }
        out += pixel;
    }
}

HACSCALE_PER_CPU
void nearest_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, const float* in, float* out) {
    nearest_row_in(columns, pixel, in, out);
}
HACSCALE_PER_CPU
void nearest_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, const BFloat16* in,
                 BFloat16* out) {
    nearest_row_in(columns, pixel, in, out);
}
HACSCALE_PER_CPU
void bilinear_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share, const float* top,
                  const float* bottom, float* out) {
    bilinear_row_in(columns, pixel, share, top, bottom, out);
}
HACSCALE_PER_CPU
void bilinear_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share, const BFloat16* top,
                  const BFloat16* bottom, BFloat16* out) {
    bilinear_row_in(columns, pixel, share, top, bottom, out);
}

template <typename Element>
class ResizeLayer final : public CpuLayer {
public:
    explicit ResizeLayer(const LayerContext& context)
        : bilinear_(context.layer.mode == Mode::bilinear ||
                    context.layer.mode == Mode::bilinear_align_corners),
          in_(context.input),
          out_(context.output),
          rows_(taps_of(context.layer.mode, in_.height(), out_.height())),
          columns_(taps_of(context.layer.mode, in_.width(), out_.width())) {}

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
    }
    void execute() override {
#pragma omp parallel for schedule(static)
        for (int i = 0; i < out_.rows(); ++i) {
            const int plane = i / out_.height();
            const ResizeTaps& row = rows_[static_cast<std::size_t>(i % out_.height())];
            Element* const to = output_ + static_cast<std::size_t>(i) * out_.row_elements();
            const Element* const top = input_ + in_.row_of(plane, row.low);
            if (bilinear_) {
                bilinear_row(columns_, out_.pixel(), static_cast<float>(row.share), top,
                             input_ + in_.row_of(plane, row.high), to);
            } else {
                nearest_row(columns_, out_.pixel(), top, to);
            }
        }
    }
    std::string implementation() const override {
        return bilinear_ ? "hacscale:resize_bilinear" : "hacscale:resize_nearest";
    }

private:
    bool bilinear_;
    Planes in_, out_;
    std::vector<ResizeTaps> rows_, columns_;
    const Element* input_ = nullptr;
    Element* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_pad(const LayerContext& context) {
    return std::make_unique<PadLayer>(context);
}

std::unique_ptr<CpuLayer> make_resize(const LayerContext& context) {
    if (context.type == DataType::f32) return std::make_unique<ResizeLayer<float>>(context);
    return std::make_unique<ResizeLayer<BFloat16>>(context);
}

}  // namespace hacscale::cpu
