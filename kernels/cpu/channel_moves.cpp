#include "kernels/cpu/channel_moves.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"
#include "models/ops/pixel_shuffle.hpp"

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

// The channels of two groups in turn, pixel by pixel of dense channels-last tensors.
template <typename Element>
HACSCALE_INLINE void interleave_in(const Element* from, Element* __restrict to, int share, int pixels) {
    for (int p = 0; p < pixels; ++p, from += 2 * static_cast<std::ptrdiff_t>(share)) {
        const Element* const second = from + share;
        for (int c = 0; c < share; ++c, to += 2) {
            to[0] = from[c];
            to[1] = second[c];
        }
    }
}

HACSCALE_PER_CPU
void interleave_words(const std::uint32_t* from, std::uint32_t* to, int share, int pixels) {
    interleave_in(from, to, share, pixels);
}
HACSCALE_PER_CPU
void interleave_bytes(const std::uint8_t* from, std::uint8_t* to, int share, int pixels) {
    interleave_in(from, to, share, pixels);
}
HACSCALE_PER_CPU
void interleave_halves(const std::uint16_t* from, std::uint16_t* to, int share, int pixels) {
    interleave_in(from, to, share, pixels);
}

// A block of channels from wherever they are, pixel by pixel of blocked tensors: vectors of gathers, where nobody unrolls the loop.
template <int Block>
HACSCALE_INLINE void gather_in(const std::int32_t* places, const std::uint32_t* from,
                               std::uint32_t* __restrict to, int pixels) {
    for (int p = 0; p < pixels; ++p, from += Block, to += Block) {
#pragma GCC unroll 1
        for (int c = 0; c < Block; ++c) to[c] = from[places[c]];
    }
}

HACSCALE_PER_CPU
void gather_words(int block, const std::int32_t* places, const std::uint32_t* from, std::uint32_t* to,
                  int pixels) {
    if (block == max_block_channels) {
        gather_in<max_block_channels>(places, from, to, pixels);
    } else {
        gather_in<max_block_channels / 2>(places, from, to, pixels);
    }
}

HACSCALE_PER_CPU
void move_words(const ChannelRun& run, const PixelWalk& walk, const std::uint32_t* from, std::uint32_t* to) {
    move_in(run, walk, from, to);
}
HACSCALE_PER_CPU
void move_bytes(const ChannelRun& run, const PixelWalk& walk, const std::uint8_t* from, std::uint8_t* to) {
    move_in(run, walk, from, to);
}
HACSCALE_PER_CPU
void move_halves(const ChannelRun& run, const PixelWalk& walk, const std::uint16_t* from, std::uint16_t* to) {
    move_in(run, walk, from, to);
}

std::ptrdiff_t channel_offset(const TensorShape& shape, int channel) {
    return static_cast<std::ptrdiff_t>(shape.index(0, channel, 0, 0));
}

std::vector<ChannelMove> moves_of(const LayerSpec& layer, std::span<const TensorShape> inputs) {
    std::vector<ChannelMove> moves;
    const int share = layer.in_channels / layer.groups;
    switch (layer.kind) {
        case LayerKind::slice:
            for (int c = 0; c < layer.out_channels; ++c) moves.push_back({0, layer.first_channel + c, c});
            break;
        case LayerKind::channel_shuffle:
            for (int c = 0; c < layer.in_channels; ++c) {
                moves.push_back({0, c % layer.groups * share + c / layer.groups, c});
            }
            break;
        default:  // concat
            for (int i = 0; i < std::ssize(inputs); ++i) {
                for (int c = 0; c < inputs[i].channels; ++c) {
                    moves.push_back({i, c, static_cast<int>(moves.size())});
                }
            }
            break;
    }
    return moves;
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
        runs_ = channel_runs(shapes_, output_shape_, moves_of(context.layer, shapes_));
        // Most shuffles that networks have. Run by run, each of one channel, they take several times as long.
        const bool shuffles = context.layer.kind == LayerKind::channel_shuffle;
        const bool blocked = output_shape_.order == TensorShape::Order::blocked;
        interleaves_ = shuffles && context.layer.groups == 2 && !blocked;
        const bool has_places = image_elements(output_shape_) <= std::numeric_limits<std::int32_t>::max();
        if (shuffles && blocked && has_places && size_of(type_) == sizeof(std::uint32_t)) {
            places_.resize(static_cast<std::size_t>(output_shape_.padded_channels()));  // of padding any
            std::size_t channel = 0;
            for (const ChannelRun& run : runs_) {
                for (int c = 0; c < run.count; ++c) {
                    places_[channel++] = static_cast<std::int32_t>(run.from + c);
                }
            }
        }
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
            if (interleaves_) {
                interleave(image, first, std::min(tile, pixels - first));
                continue;
            }
            if (!places_.empty()) {
                gather_blocks(image, first, std::min(tile, pixels - first));
                continue;
            }
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
    void gather_blocks(int image, int first_pixel, int pixels) {
        const std::size_t before = image * image_elements(output_shape_);
        const auto block = static_cast<std::size_t>(output_shape_.block);
        const std::size_t plane =
            static_cast<std::size_t>(output_shape_.height) * output_shape_.width * block;
        const std::size_t row = first_pixel * block;
        for (std::size_t b = 0; b * block < places_.size(); ++b) {
            gather_words(output_shape_.block, places_.data() + b * block,
                         reinterpret_cast<const std::uint32_t*>(inputs_.front()) + before + row,
                         reinterpret_cast<std::uint32_t*>(output_) + before + b * plane + row, pixels);
        }
    }
    void interleave(int image, int first_pixel, int pixels) {
        const std::size_t at = image * image_elements(output_shape_) +
                               static_cast<std::size_t>(first_pixel) * output_shape_.channels;
        const int share = output_shape_.channels / 2;
        if (size_of(type_) == sizeof(std::uint32_t)) {
            interleave_words(reinterpret_cast<const std::uint32_t*>(inputs_.front()) + at,
                             reinterpret_cast<std::uint32_t*>(output_) + at, share, pixels);
        } else if (size_of(type_) == sizeof(std::uint8_t)) {
            interleave_bytes(reinterpret_cast<const std::uint8_t*>(inputs_.front()) + at,
                             reinterpret_cast<std::uint8_t*>(output_) + at, share, pixels);
        } else {
            interleave_halves(reinterpret_cast<const std::uint16_t*>(inputs_.front()) + at,
                              reinterpret_cast<std::uint16_t*>(output_) + at, share, pixels);
        }
    }

    std::vector<TensorShape> shapes_;
    TensorShape output_shape_;
    DataType type_;
    std::string name_;
    std::vector<ChannelRun> runs_;
    bool interleaves_ = false;
    // Of each channel of a blocked output that is shuffled, its place in an image of the input; empty for other layers.
    std::vector<std::int32_t> places_;
    InputPointers inputs_;
    std::byte* output_ = nullptr;
};

// Blocks of pixels from channels, or channels from blocks of pixels: at each place of a block, pixels of one tensor that are
// neighbours become pixels of the other that are as far apart as the block is large. Threads share the rows of the map of
// fewer pixels.
class BlockMoveLayer final : public CpuLayer {
public:
    explicit BlockMoveLayer(const LayerContext& context)
        : layer_(context.layer), in_(context.input), out_(context.output), type_(context.type) {
        const bool splits = layer_.kind == LayerKind::pixel_shuffle;
        const int few = std::min(layer_.in_channels, layer_.out_channels);
        for (int row = 0; row < layer_.window.strides[0]; ++row) {
            for (int column = 0; column < layer_.window.strides[1]; ++column) {
                std::vector<ChannelMove> moves;
                for (int c = 0; c < few; ++c) {
                    const int many = channel_of_block(layer_, few, c, row, column);
                    moves.push_back(splits ? ChannelMove{0, many, c} : ChannelMove{0, c, many});
                }
                places_.push_back({row, column, channel_runs({&in_, 1}, out_, moves)});
            }
        }
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = inputs.front();
        output_ = output;
    }
    void execute() override {
        const bool splits = layer_.kind == LayerKind::pixel_shuffle;
        const int height = std::min(in_.height, out_.height);
        const std::size_t element = size_of(type_);
#pragma omp parallel for schedule(static)
        for (int i = 0; i < out_.batch * height; ++i) {
            const int image = i / height;
            const std::byte* const from = input_ + image * image_elements(in_) * element;
            std::byte* const to = output_ + image * image_elements(out_) * element;
            for (const Place& place : places_) {
                const PixelWalk walk =
                    splits ? walk_of(i % height, nullptr, &place) : walk_of(i % height, &place, nullptr);
                for (const ChannelRun& run : place.runs) move_channels(run, walk, element, from, to);
            }
        }
        zero_padding(out_, type_, output_);
    }
    std::string implementation() const override {
        return "hacscale:" + std::string(name_of(layer_.kind));
    }

private:
    struct Place {
        int row = 0;
        int column = 0;
        std::vector<ChannelRun> runs;
    };

    // Along one row of blocks; the place is in the blocks of the input or of the output.
    PixelWalk walk_of(int row, const Place* in_block, const Place* out_block) const {
        const auto side = [&](const TensorShape& shape, const Place* place) {
            const std::ptrdiff_t pixel = pixel_stride(shape);
            if (place == nullptr)
                return std::pair{static_cast<std::ptrdiff_t>(row) * shape.width * pixel, pixel};
            const std::ptrdiff_t first =
                static_cast<std::ptrdiff_t>(row * layer_.window.strides[0] + place->row) * shape.width +
                place->column;
            return std::pair{first * pixel, layer_.window.strides[1] * pixel};
        };
        const auto [from, from_stride] = side(in_, in_block);
        const auto [to, to_stride] = side(out_, out_block);
        return {from, from_stride, to, to_stride, std::min(in_.width, out_.width)};
    }

    LayerSpec layer_;
    TensorShape in_, out_;
    DataType type_;
    std::vector<Place> places_;
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
};

}  // namespace

std::vector<ChannelRun> channel_runs(std::span<const TensorShape> inputs, const TensorShape& output,
                                     std::span<const ChannelMove> moves) {
    std::vector<ChannelRun> runs;
    for (const ChannelMove& move : moves) {
        const ChannelRun next{move.input, channel_offset(inputs[move.input], move.from),
                              channel_offset(output, move.to), 1};
        const bool follows = !runs.empty() && runs.back().input == move.input &&
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
    } else if (element_bytes == sizeof(std::uint8_t)) {
        move_bytes(run, walk, reinterpret_cast<const std::uint8_t*>(from),
                   reinterpret_cast<std::uint8_t*>(to));
    } else {
        move_halves(run, walk, reinterpret_cast<const std::uint16_t*>(from),
                    reinterpret_cast<std::uint16_t*>(to));
    }
}

std::unique_ptr<CpuLayer> make_channel_moves(const LayerContext& context) {
    const LayerKind kind = context.layer.kind;
    if (kind == LayerKind::pixel_shuffle || kind == LayerKind::space_to_depth) {
        return std::make_unique<BlockMoveLayer>(context);
    }
    return std::make_unique<ChannelMoveLayer>(context);
}

}  // namespace hacscale::cpu
