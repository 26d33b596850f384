#include "kernels/cpu/tensor.hpp"

#include <omp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hacscale::cpu {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;

// What attention computes with: matrices are rows of neighbours, and a reshape moves nothing.
bool is_plain_kind(LayerKind kind) {
    return kind == LayerKind::reshape || kind == LayerKind::permute || kind == LayerKind::matmul ||
           kind == LayerKind::softmax;
}

std::size_t round_up(std::size_t value, std::size_t step) {
    return (value + step - 1) / step * step;
}

template <typename Element>
void write_as(std::span<const float> nchw, const TensorShape& shape, Element* out) {
    for (int n = 0; n < shape.batch; ++n) {
        for (int c = 0; c < shape.padded_channels(); ++c) {
            for (int h = 0; h < shape.height; ++h) {
                for (int w = 0; w < shape.width; ++w) {
                    const bool real = c < shape.channels;
                    const std::size_t source =
                        ((static_cast<std::size_t>(n) * shape.channels + c) * shape.height + h) *
                            shape.width +
                        w;
                    out[shape.index(n, c, h, w)] = Element(real ? nchw[source] : 0.0F);
                }
            }
        }
    }
}

template <typename Element>
std::vector<float> read_as(const Element* data, const TensorShape& shape) {
    std::vector<float> nchw;
    nchw.reserve(static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width);
    for (int n = 0; n < shape.batch; ++n) {
        for (int c = 0; c < shape.channels; ++c) {
            for (int h = 0; h < shape.height; ++h) {
                for (int w = 0; w < shape.width; ++w) {
                    nchw.push_back(static_cast<float>(data[shape.index(n, c, h, w)]));
                }
            }
        }
    }
    return nchw;
}

template <typename Element>
void copy_planes_of(const Element* from, const TensorShape& shape, Element* to,
                    const std::function<PlaneTarget(int image, int channel)>& target_of) {
    const std::size_t row = shape.index(0, 0, 1, 0);
    const std::size_t column = shape.index(0, 0, 0, 1);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < shape.batch * shape.channels; ++i) {
        const int image = i / shape.channels;
        const int channel = i % shape.channels;
        const PlaneTarget target = target_of(image, channel);
        const Element* const plane = from + shape.index(image, channel, 0, 0);
        for (int h = 0; h < shape.height; ++h) {
            const Element* const source = plane + static_cast<std::size_t>(h) * row;
            Element* const destination = to + target.first + static_cast<std::size_t>(h) * target.row;
            if (column == 1 && target.column == 1) {
                std::copy_n(source, shape.width, destination);
                continue;
            }
            for (std::size_t w = 0; w < static_cast<std::size_t>(shape.width); ++w) {
                destination[w * target.column] = source[w * column];
            }
        }
    }
}

}  // namespace

Buffer::Buffer(std::size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    const std::size_t alignment = bytes >= huge_page ? huge_page : cache_line;
    const std::size_t rounded = round_up(bytes, alignment);
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
    if (data_ == nullptr) throw std::bad_alloc();
    // Advice only: without huge pages it works all the same.
    if (alignment == huge_page) madvise(data_.get(), rounded, MADV_HUGEPAGE);
}

void Buffer::Free::operator()(std::byte* pointer) const noexcept {
    std::free(pointer);
}

std::span<std::byte> WeightPool::take(std::size_t bytes) {
    constexpr std::size_t slab_bytes = 4 * huge_page;
    const std::size_t rounded = round_up(bytes, cache_line);
    if (slabs_.empty() || used_ + rounded > slabs_.back().size()) {
        slabs_.emplace_back(std::max(rounded, slab_bytes));
        used_ = 0;
    }
    std::byte* start = slabs_.back().data() + used_;
    used_ += rounded;
    return {start, bytes};
}

int TensorShape::padded_channels() const {
    return order == Order::blocked ? static_cast<int>(round_up(channels, block)) : channels;
}

std::size_t TensorShape::elements() const {
    return static_cast<std::size_t>(batch) * padded_channels() * height * width;
}

std::size_t TensorShape::index(int n, int c, int h, int w) const {
    const auto at = [](std::size_t outer, int size, int inner) { return outer * size + inner; };
    switch (order) {
        case Order::channels_last:
            return at(at(at(n, height, h), width, w), channels, c);
        case Order::blocked: {
            const int blocks = padded_channels() / block;
            return at(at(at(at(n, blocks, c / block), height, h), width, w), block, c % block);
        }
        case Order::plain:
            return at(at(at(n, channels, c), height, h), width, w);
    }
    return 0;
}

TensorShape input_shape(const LayerSpec& layer, int batch, int block, bool network_input) {
    using Order = TensorShape::Order;
    const bool vector = layer.in_height == 1 && layer.in_width == 1;
    const bool blocked = layer.layout == Layout::blocked && !(layer.kind == LayerKind::linear && vector);
    Order order = blocked ? Order::blocked : Order::channels_last;
    // An image's three channels would be padded to a block; oneDNN's first-layer kernels read them plain.
    const bool dense_conv = layer.kind == LayerKind::conv && layer.groups == 1;
    if (is_plain_kind(layer.kind)) order = Order::plain;
    if (blocked && network_input && dense_conv && layer.in_channels < 4) order = Order::plain;
    return {batch, layer.in_channels, layer.in_height, layer.in_width, order, block};
}

TensorShape output_shape(const LayerSpec& layer, int batch, int block) {
    using Order = TensorShape::Order;
    // What comes out of a global pool or a linear layer is a vector, dense in either layout.
    const bool vector = layer.kind == LayerKind::linear || layer.kind == LayerKind::global_avg_pool;
    Order order = layer.layout == Layout::blocked && !vector ? Order::blocked : Order::channels_last;
    if (is_plain_kind(layer.kind)) order = Order::plain;
    return {batch, layer.out_channels, layer.out_height(), layer.out_width(), order, block};
}

void write_tensor(std::span<const float> nchw, const TensorShape& shape, DataType type, std::byte* out) {
    if (type == DataType::f32) {
        write_as(nchw, shape, reinterpret_cast<float*>(out));
    } else {
        write_as(nchw, shape, reinterpret_cast<BFloat16*>(out));
    }
}

std::vector<float> read_tensor(const std::byte* data, const TensorShape& shape, DataType type) {
    if (type == DataType::f32) return read_as(reinterpret_cast<const float*>(data), shape);
    return read_as(reinterpret_cast<const BFloat16*>(data), shape);
}

void copy_planes(const std::byte* from, const TensorShape& shape, std::size_t element_bytes, std::byte* to,
                 const std::function<PlaneTarget(int image, int channel)>& target_of) {
    if (element_bytes == sizeof(std::uint32_t)) {
        copy_planes_of(reinterpret_cast<const std::uint32_t*>(from), shape,
                       reinterpret_cast<std::uint32_t*>(to), target_of);
    } else if (element_bytes == sizeof(std::uint8_t)) {
        copy_planes_of(from, shape, to, target_of);
    } else {
        copy_planes_of(reinterpret_cast<const std::uint16_t*>(from), shape,
                       reinterpret_cast<std::uint16_t*>(to), target_of);
    }
}

void reorder_tensor(const std::byte* from, const TensorShape& from_shape, DataType type, std::byte* to,
                    const TensorShape& to_shape) {
    const std::size_t row = to_shape.index(0, 0, 1, 0);
    const std::size_t column = to_shape.index(0, 0, 0, 1);
    copy_planes(from, from_shape, size_of(type), to, [&](int image, int channel) {
        return PlaneTarget{to_shape.index(image, channel, 0, 0), row, column};
    });
    zero_padding(to_shape, type, to);
}

void zero_padding(const TensorShape& shape, DataType type, std::byte* data) {
    const int padding = shape.padded_channels() - shape.channels;
    if (padding == 0) return;
    const std::size_t element = size_of(type);
    const int rows = shape.batch * shape.height;
#pragma omp parallel for schedule(static)
    for (int row = 0; row < rows; ++row) {
        const std::size_t begin = shape.index(row / shape.height, shape.channels, row % shape.height, 0);
        for (int w = 0; w < shape.width; ++w) {
            std::memset(data + (begin + static_cast<std::size_t>(w) * shape.block) * element, 0,
                        padding * element);
        }
    }
}

void evict(const std::byte* data, std::size_t bytes) {
#if defined(__x86_64__)
    for (std::size_t i = 0; i < bytes; i += cache_line) _mm_clflush(data + i);
    _mm_mfence();
#elif defined(__aarch64__)
    for (std::size_t i = 0; i < bytes; i += cache_line) {
        asm volatile("dc civac, %0" : : "r"(data + i) : "memory");
    }
    asm volatile("dsb ish" : : : "memory");
#else
#error "evict() needs this processor's instruction that flushes a cache line"
#endif
}

std::size_t private_cache_bytes() {
    const long level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return static_cast<std::size_t>(level2 > 0 ? level2 : 1 << 20) * omp_get_max_threads();
}

void touch(const std::byte* data, std::size_t bytes) {
    unsigned sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum)
    for (std::size_t i = 0; i < bytes; i += cache_line) sum += std::to_integer<unsigned>(data[i]);
    // The reads have to happen although nobody wants the sum.
    asm volatile("" : : "r"(sum) : "memory");
}

}  // namespace hacscale::cpu
