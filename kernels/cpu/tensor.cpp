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
    if (blocked && network_input && dense_conv && layer.in_channels < 4) order = Order::plain;
    return {batch, layer.in_channels, layer.in_height, layer.in_width, order, block};
}

TensorShape output_shape(const LayerSpec& layer, int batch, int block) {
    using Order = TensorShape::Order;
    // What comes out of a global pool or a linear layer is a vector, dense in either layout.
    const bool vector = layer.kind == LayerKind::linear || layer.kind == LayerKind::global_avg_pool;
    const Order order = layer.layout == Layout::blocked && !vector ? Order::blocked : Order::channels_last;
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
