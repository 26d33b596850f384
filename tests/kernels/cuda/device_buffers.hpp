// Host memory that stands in for a device's: aligned as there, exactly as long as it is said to be, so that
// the address sanitizer sees what is read or written beyond it, and full of not-a-numbers at first.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda::testing {

class Buffer {
public:
    explicit Buffer(std::size_t bytes)
        : bytes_(bytes), data_(static_cast<std::byte*>(::operator new(bytes, alignment))) {
        std::memset(data_.get(), 0xff, bytes);
    }
    void* data() { return data_.get(); }
    std::span<std::byte> span() { return {data_.get(), bytes_}; }

private:
    static constexpr std::align_val_t alignment{256};
    struct Free {
        void operator()(std::byte* data) const { ::operator delete(data, alignment); }
    };
    std::size_t bytes_;
    std::unique_ptr<std::byte, Free> data_;
};

// What the data type keeps of the values.
inline std::vector<float> rounded(std::vector<float> values, DataType type) {
    with_element(type, [&](auto element) {
        for (float& value : values) value = to_float(from_float<decltype(element)>(value));
    });
    return values;
}

// Dense NCHW values, as NHWC elements.
inline Buffer channels_last(const std::vector<float>& nchw, int batch, int channels, DataType type) {
    Buffer buffer(nchw.size() * size_of(type));
    const std::size_t area = nchw.size() / batch / channels;
    with_element(type, [&](auto element) {
        using T = decltype(element);
        auto* to = static_cast<T*>(buffer.data());
        for (std::size_t i = 0; i < nchw.size(); ++i) {
            const std::size_t image = i / (area * channels);
            const std::size_t channel = i / area % channels;
            to[(image * area + i % area) * channels + channel] = from_float<T>(nchw[i]);
        }
    });
    return buffer;
}

// The inverse; `count` elements in all.
inline std::vector<float> dense_nchw(Buffer& buffer, std::size_t count, int batch, int channels,
                                     DataType type) {
    std::vector<float> nchw(count);
    const std::size_t area = count / batch / channels;
    with_element(type, [&](auto element) {
        using T = decltype(element);
        const auto* from = static_cast<const T*>(buffer.data());
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t image = i / (area * channels);
            const std::size_t channel = i / area % channels;
            nchw[i] = to_float(from[(image * area + i % area) * channels + channel]);
        }
    });
    return nchw;
}

}  // namespace hacscale::cuda::testing
