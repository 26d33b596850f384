#include "kernels/cpu/channel_moves.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

template <typename Element>
HACSCALE_INLINE void move_in(const ChannelRun& run, const PixelWalk& walk, const Element* from, Element* to) {
    from += run.from + walk.from;
    to += run.to + walk.to;
    const int count = run.count;
    if (walk.from_stride == count && walk.to_stride == count) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * walk.pixels * sizeof(Element));
    } else if (count == 1) {
        for (int p = 0; p < walk.pixels; ++p) to[p * walk.to_stride] = from[p * walk.from_stride];
    } else if (count <= max_block_channels) {
        for (int p = 0; p < walk.pixels; ++p) {
            const Element* const source = from + p * walk.from_stride;
            Element* const target = to + p * walk.to_stride;
            for (int c = 0; c < count; ++c) target[c] = source[c];
        }
    } else {
        for (int p = 0; p < walk.pixels; ++p) {
            std::memcpy(to + p * walk.to_stride, from + p * walk.from_stride, count * sizeof(Element));
        }
    }
}

HACSCALE_PER_CPU
void move_words(const ChannelRun& run, const PixelWalk& walk, const std::uint32_t* from, std::uint32_t* to) {
    move_in(run, walk, from, to);
}
HACSCALE_PER_CPU
void move_halves(const ChannelRun& run, const PixelWalk& walk, const std::uint16_t* from, std::uint16_t* to) {
    move_in(run, walk, from, to);
}

std::ptrdiff_t channel_offset(const TensorShape& shape, int channel) {
    return static_cast<std::ptrdiff_t>(shape.index(0, channel, 0, 0));
}

std::vector<ChannelSource> sources_of(const LayerContext& context, std::span<const TensorShape> inputs) {
    const LayerSpec& layer = context.layer;
    std::vector<ChannelSource> sources;
    if (layer.kind == LayerKind::slice) {
        for (int c = 0; c < layer.out_channels; ++c) sources.push_back({0, layer.first_channel + c});
        return sources;
    }
    for (int i = 0; i < std::ssize(inputs); ++i) {
        for (int c = 0; c < inputs[i].channels; ++c) sources.push_back({i, c});
    }
    return sources;
}

// Each pixel of the output is made of pixels at its place. Threads share tiles of pixels that stay in a core's cache while
// run after run is moved.
class ChannelMoveLayer final : public CpuLayer {
public:
    explicit ChannelMoveLayer(const LayerContext& context)
        : shapes_{context.input},
          output_shape_(context.output),
          type_(context.type),
          name_("hacscale:" + std::string(name_of(context.layer.kind))) {
        shapes_.insert(shapes_.end(), context.more_inputs.begin(), context.more_inputs.end());
        runs_ = channel_runs(shapes_, output_shape_, sources_of(context, shapes_));
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        inputs_ = inputs;
        output_ = output;
    }
    void execute() override {
        constexpr int elements_a_tile = 4096;
        const int pixels = output_shape_.height * output_shape_.width;
        const int tile = std::clamp(elements_a_tile / output_shape_.channels, 1, 64);
        const int tiles = (pixels + tile - 1) / tile;
        const std::size_t element = size_of(type_);
#pragma omp parallel for schedule(static)
        for (int i = 0; i < output_shape_.batch * tiles; ++i) {
            const int image = i / tiles;
            const int first = i % tiles * tile;
            std::byte* const to = output_ + image * image_elements(output_shape_) * element;
            for (const ChannelRun& run : runs_) {
                const TensorShape& shape = shapes_[run.input];
                const PixelWalk walk{first * pixel_stride(shape), pixel_stride(shape),
                                     first * pixel_stride(output_shape_), pixel_stride(output_shape_),
                                     std::min(tile, pixels - first)};
                move_channels(run, walk, element,
                              inputs_[run.input] + image * image_elements(shape) * element, to);
            }
        }
        zero_padding(output_shape_, type_, output_);
    }
    std::string implementation() const override {
        return name_;
    }

private:
    std::vector<TensorShape> shapes_;
    TensorShape output_shape_;
    DataType type_;
    std::string name_;
    std::vector<ChannelRun> runs_;
    InputPointers inputs_;
    std::byte* output_ = nullptr;
};

}  // namespace

std::vector<ChannelRun> channel_runs(std::span<const TensorShape> inputs, const TensorShape& output,
                                     std::span<const ChannelSource> sources) {
    std::vector<ChannelRun> runs;
    for (int c = 0; c < std::ssize(sources); ++c) {
        const auto& [input, channel] = sources[c];
        const ChannelRun next{input, channel_offset(inputs[input], channel), channel_offset(output, c), 1};
        const bool follows = !runs.empty() && runs.back().input == input &&
                             runs.back().from + runs.back().count == next.from &&
                             runs.back().to + runs.back().count == next.to;
        if (follows) {
            ++runs.back().count;
        } else {
            runs.push_back(next);
        }
    }
    return runs;
}

std::ptrdiff_t pixel_stride(const TensorShape& shape) {
    return shape.order == TensorShape::Order::blocked ? shape.block : shape.channels;
}

std::size_t image_elements(const TensorShape& shape) {
    return shape.elements() / shape.batch;
}

void move_channels(const ChannelRun& run, const PixelWalk& walk, std::size_t element_bytes,
                   const std::byte* from, std::byte* to) {
    if (element_bytes == sizeof(std::uint32_t)) {
        move_words(run, walk, reinterpret_cast<const std::uint32_t*>(from),
                   reinterpret_cast<std::uint32_t*>(to));
    } else {
        move_halves(run, walk, reinterpret_cast<const std::uint16_t*>(from),
                    reinterpret_cast<std::uint16_t*>(to));
    }
}

std::unique_ptr<CpuLayer> make_channel_moves(const LayerContext& context) {
    return std::make_unique<ChannelMoveLayer>(context);
}

}  // namespace hacscale::cpu
