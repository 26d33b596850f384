// Memory on a device: owned blocks of it, and how fast the device copies it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace hacscale::cuda {

struct DeviceTraits;

// Makes the device with this index the one that the calling thread works with; the first time, the process gets a
// context on it. Throws MissingError when it cannot have one, and as check().
void use_device(int index);

// Bytes that can still be allocated on the current device.
std::size_t free_device_bytes();

// A block on the device that was current when it was made, aligned to 256 bytes.
class DeviceBuffer {
public:
    DeviceBuffer() = default;
    // The error names the `purpose`: "the weights". Throws OutOfDeviceMemory saying how much was asked for
    // and how much is free.
    DeviceBuffer(std::size_t bytes, std::string_view purpose);
    ~DeviceBuffer() { release(); }
    DeviceBuffer(DeviceBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
        if (this != &other) {
            release();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }

    std::byte* data() const { return data_; }  // null when the size is 0
    std::size_t size() const { return size_; }

private:
    void release() noexcept;

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

struct CopyBandwidth {
    double bytes_per_second = 0.0;  // read plus written
    std::string by;                 // what copied fastest: "cudaMemcpyAsync" or "hacscale copy"
};

// The median over copies of 2 GiB, or of a quarter of the memory that is free where that is less.
CopyBandwidth measure_copy_bandwidth(const DeviceTraits& device);

}  // namespace hacscale::cuda
