// Aligned memory and the layouts of activations on the CPU.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cpu {

// The bf16 number as the CPU kernels store it: the upper half of an f32, rounded to nearest even.
struct BFloat16 {
    std::uint16_t bits = 0;

    BFloat16() = default;
    explicit BFloat16(float value) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        const bool not_a_number = (word & 0x7FFFFFFFU) > 0x7F800000U;
        const std::uint32_t rounded = word + 0x7FFFU + ((word >> 16) & 1U);
        bits = static_cast<std::uint16_t>((not_a_number ? word | 0x400000U : rounded) >> 16);
    }
    explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

// Memory aligned to a huge page where it is large enough to gain from one, else to a cache line. Not
// initialised.
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::size_t bytes);

    std::byte* data() { return data_.get(); }
    const std::byte* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(std::byte* pointer) const noexcept;
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
};

// Where a network's weights are: handed out one after the other from few large pieces of memory on huge
// pages. A pass over a hundred layers' weights would otherwise miss the address cache at each of their small
// pages, which in a virtual machine costs as much as fetching the page's contents.
class WeightPool {
public:
    // `bytes` of memory, not initialised, valid as long as the pool.
    std::span<std::byte> take(std::size_t bytes);

private:
    std::vector<Buffer> slabs_;
    std::size_t used_ = 0;  // of the last slab
};

// The channels of the widest block, and what hand-written kernels take at a time of channels-last tensors.
constexpr int max_block_channels = 16;

// An activation tensor's shape and place. Channels-last: [n][h][w][c]; blocked: [n][c/block][h][w][block],
// the last block filled with zeros; plain: [n][c][h][w], used for what attention computes with (reshape, permute, matmul,
// softmax) and for a blocked network's input of fewer than four channels.
struct TensorShape {
    enum class Order : std::uint8_t { channels_last, blocked, plain };

    int batch = 1;
    int channels = 0;
    int height = 1;
    int width = 1;
    Order order = Order::channels_last;
    int block = max_block_channels;  // channels in a block, of blocked tensors: 8 or 16

    int padded_channels() const;
    std::size_t elements() const;  // padding included
    std::size_t bytes(DataType type) const { return elements() * size_of(type); }
    std::size_t index(int n, int c, int h, int w) const;
};

// How a network of DataType::i8 stores a tensor: its numbers, or integers of 8 bits, each of which stands for itself times the scale.
enum class Element : std::uint8_t { f32, u8, s8 };
struct Stored {
    Element element = Element::f32;
    float scale = 1.0F;  // of integers

    bool is_integer() const { return element != Element::f32; }
    std::size_t element_bytes() const { return is_integer() ? 1 : sizeof(float); }
    bool operator==(const Stored&) const = default;
};
// Integers reach from -max_signed to max_signed, or from 0 to max_unsigned.
constexpr float max_signed = 127.0F;
constexpr float max_unsigned = 255.0F;

// `count` numbers from one form to the other, one of which is f32: rounded to the nearest integer, cut where it ends. Threads share
// the work.
void convert(const std::byte* from, const Stored& from_form, std::byte* to, const Stored& to_form,
             std::size_t count);

// The shapes of a layer's tensors on a processor whose blocks have `block` channels.
TensorShape input_shape(const LayerSpec& layer, int batch, int block, bool network_input);
TensorShape output_shape(const LayerSpec& layer, int batch, int block);

// Dense NCHW f32 to and from a tensor of either data type; the padding of blocked tensors is written as
// zeros.
void write_tensor(std::span<const float> nchw, const TensorShape& shape, DataType type, std::byte* out);
std::vector<float> read_tensor(const std::byte* data, const TensorShape& shape, DataType type);

// Where the elements of one channel go: its first one, and the distances of rows and of columns.
struct PlaneTarget {
    std::size_t first = 0;
    std::size_t row = 0;
    std::size_t column = 0;
};
// Copies each element of each channel to its target; an element has 1, 2 or 4 bytes. Threads share the channels.
void copy_planes(const std::byte* from, const TensorShape& shape, std::size_t element_bytes, std::byte* to,
                 const std::function<PlaneTarget(int image, int channel)>& target_of);
// The same tensor in another order; padding becomes zeros.
void reorder_tensor(const std::byte* from, const TensorShape& from_shape, DataType type, std::byte* to,
                    const TensorShape& to_shape);

// Writes zeros to the channels that fill up the last block of a blocked tensor; the next layer relies
// on them.
void zero_padding(const TensorShape& shape, DataType type, std::byte* data);

// Drives the memory out of all cache levels.
void evict(const std::byte* data, std::size_t bytes);

// Bytes of the caches that the cores used have for themselves, together.
std::size_t private_cache_bytes();
// Reads the memory with all threads, each its share.
void touch(const std::byte* data, std::size_t bytes);

}  // namespace hacscale::cpu
