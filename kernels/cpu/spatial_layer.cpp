// Layers that bring whole pixels to other places: padded and cropped maps, and maps of another size. Both layouts are planes of
// pixels (channels-last one an image, of all channels; blocked one a block of channels), so each kernel is written once.
// Threads share the rows of the output.
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/channel_moves.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"
#include "models/ops/pad.hpp"
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

// Of each row or column of the output, the one of the input that it is, or no_element.
std::vector<int> padded_elements(Mode mode, int before, int in_size, int out_size) {
    std::vector<int> elements;
    for (int i = 0; i < out_size; ++i) elements.push_back(padded_element(mode, i, before, in_size));
    return elements;
}

class PadLayer final : public CpuLayer {
public:
    explicit PadLayer(const LayerContext& context)
        : in_(context.input),
          out_(context.output),
          type_(context.type),
          padded_shape_(context.output),
          rows_(
              padded_elements(context.layer.mode, context.layer.window.pads[0], in_.height(), out_.height())),
          columns_(
              padded_elements(context.layer.mode, context.layer.window.pads[1], in_.width(), out_.width())),
          ones_(context.layer.mode == Mode::ones),
          fill_(out_.row_elements() * size_of(type_)),
          name_(context.layer.mode == Mode::plain
                    ? "hacscale:pad"
                    : "hacscale:pad_" + std::string(name_of(context.layer.mode))) {
        if (ones_ && type_ == DataType::f32) {
            std::fill_n(reinterpret_cast<float*>(fill_.data()), out_.row_elements(), 1.0F);
        } else {
            std::fill_n(reinterpret_cast<BFloat16*>(fill_.data()), fill_.size() / sizeof(BFloat16),
                        BFloat16(ones_ ? 1.0F : 0.0F));
        }
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = inputs.front();
        output_ = output;
    }
    void execute() override {
        const std::size_t whole = out_.row_elements() * size_of(type_);
#pragma omp parallel for schedule(static)
        for (int i = 0; i < out_.rows(); ++i) {
            std::byte* const to = output_ + static_cast<std::size_t>(i) * whole;
            const int row = rows_[static_cast<std::size_t>(i % out_.height())];
            if (row == no_element) {
                std::memcpy(to, fill_.data(), whole);
            } else {
                write_row(input_ + in_.row_of(i / out_.height(), row) * size_of(type_), to);
            }
        }
        if (ones_) zero_padding(padded_shape_, type_, output_);
    }
    std::string implementation() const override {
        return name_;
    }

private:
    // Runs of columns that are neighbours on both sides are copied in one piece.
    void write_row(const std::byte* from, std::byte* to) const {
        const std::size_t pixel = out_.pixel() * size_of(type_);
        for (std::size_t first = 0, end = 0; first < columns_.size(); first = end) {
            const int column = columns_[first];
            const int step = column == no_element ? 0 : 1;
            for (end = first + 1; end < columns_.size(); ++end) {
                if (columns_[end] != column + step * static_cast<int>(end - first)) break;
            }
            const std::byte* const source =
                step == 0 ? fill_.data() : from + static_cast<std::size_t>(column) * pixel;
            std::memcpy(to + first * pixel, source, (end - first) * pixel);
        }
    }

    Planes in_, out_;
    DataType type_;
    TensorShape padded_shape_;
    std::vector<int> rows_, columns_;
    bool ones_;
    Buffer fill_;  // a row of the number that is added
    std::string name_;
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

// From two rows, between which the output's is at `share`: first `between`, the row of the input's width at that height, whose
// numbers are widened once, then the columns of that.
template <typename Element>
HACSCALE_INLINE void bilinear_row_in(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share,
                                     std::size_t in_elements, const Element* top, const Element* bottom,
                                     float* __restrict between, Element* __restrict out) {
    for (std::size_t i = 0; i < in_elements; ++i) {
        const auto above = static_cast<float>(top[i]);
        between[i] = above + share * (static_cast<float>(bottom[i]) - above);
    }
    for (const ResizeTaps& column : columns) {
        const float* const low = between + static_cast<std::size_t>(column.low) * pixel;
        const float* const high = between + static_cast<std::size_t>(column.high) * pixel;
        const auto right = static_cast<float>(column.share);
        for (std::size_t c = 0; c < pixel; ++c) out[c] = Element(low[c] + right * (high[c] - low[c]));
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
void bilinear_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share,
                  std::size_t in_elements, const float* top, const float* bottom, float* between,
                  float* out) {
    bilinear_row_in(columns, pixel, share, in_elements, top, bottom, between, out);
}
HACSCALE_PER_CPU
void bilinear_row(const std::vector<ResizeTaps>& columns, std::size_t pixel, float share,
                  std::size_t in_elements, const BFloat16* top, const BFloat16* bottom, float* between,
                  BFloat16* out) {
    bilinear_row_in(columns, pixel, share, in_elements, top, bottom, between, out);
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
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        input_ = reinterpret_cast<const Element*>(inputs.front());
        output_ = reinterpret_cast<Element*>(output);
        rows_between_ = reinterpret_cast<float*>(scratch);
    }
    std::size_t scratch_bytes() const override {
        return bilinear_ ? threads_ * in_.row_elements() * sizeof(float) : 0;
    }
    void execute() override {
#pragma omp parallel for schedule(static)
        for (int i = 0; i < out_.rows(); ++i) {
            const int plane = i / out_.height();
            const ResizeTaps& row = rows_[static_cast<std::size_t>(i % out_.height())];
            Element* const to = output_ + static_cast<std::size_t>(i) * out_.row_elements();
            const Element* const top = input_ + in_.row_of(plane, row.low);
            if (bilinear_) {
                const auto thread = static_cast<std::size_t>(omp_get_thread_num());
                bilinear_row(columns_, out_.pixel(), static_cast<float>(row.share), in_.row_elements(), top,
                             input_ + in_.row_of(plane, row.high),
                             rows_between_ + thread * in_.row_elements(), to);
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
    std::size_t threads_ = static_cast<std::size_t>(omp_get_max_threads());
    float* rows_between_ = nullptr;  // one of each thread
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
