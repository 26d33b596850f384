#include "kernels/cuda/device_memory.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/statistics.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {
namespace {

std::string mebibytes(std::size_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
}

constexpr int warm_up_copies = 3;
constexpr int timed_copies = 15;
// Long against what begins and ends a kernel, and so large that what of it stays in the L2 does not count.
constexpr std::size_t wanted_bytes = std::size_t{2} << 30;
// A read of so much takes longer than the host needs to enqueue what comes after.
constexpr std::size_t front_bytes = std::size_t{128} << 20;

// Behind other work, so that the device does not wait for the host between the events.
double median_us(const Stream& stream, const DeviceBuffer& front, const std::function<void()>& copy) {
    const Event begin;
    const Event end;
    std::vector<double> times;
    for (int i = 0; i < warm_up_copies + timed_copies; ++i) {
        launch_touch(front.data(), front.size(), stream.get());
        begin.record(stream);
        copy();
        end.record(stream);
        stream.synchronize("copying to measure bandwidth");
        if (i >= warm_up_copies) times.push_back(elapsed_us(begin, end));
    }
    return upper_median(std::move(times));
}

}  // namespace

void use_device(int index) {
    const cudaError_t error = cudaSetDevice(index);
    if (error == cudaSuccess) {
        note_device_in_use(index);
        return;
    }
    if (device_in_use(index) || error == cudaErrorMemoryAllocation) {
        check(error, fmt::format("selecting cuda:{}", index));
    }
    cudaGetLastError();
    throw MissingError(fmt::format(
        "cuda:{} cannot be used now: {} ({}); another process may have it for itself, or its compute mode "
        "forbids work ('nvidia-smi -q -d COMPUTE,PIDS' tells)",
        index, cudaGetErrorString(error), cudaGetErrorName(error)));
}

std::size_t free_device_bytes() {
    std::size_t free = 0;
    std::size_t total = 0;
    call<cudaMemGetInfo>("asking for the free device memory", &free, &total);
    return free;
}

DeviceBuffer::DeviceBuffer(std::size_t bytes, std::string_view purpose) {
    if (bytes == 0) return;
    void* data = nullptr;
    const cudaError_t error = cudaMalloc(&data, bytes);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        throw OutOfDeviceMemory(fmt::format("out of device memory: {} need {}, and {} are free", purpose,
                                            mebibytes(bytes), mebibytes(free_device_bytes())));
    }
    check(error, fmt::format("allocating {} for {}", mebibytes(bytes), purpose));
    data_ = static_cast<std::byte*>(data);
    size_ = bytes;
}

// After a sticky error every call fails, this one, too: there is nothing to do about it, and what broke has
// been told already.
void DeviceBuffer::release() noexcept {
    if (data_ != nullptr && cudaFree(data_) != cudaSuccess) cudaGetLastError();
    data_ = nullptr;
    size_ = 0;
}

CopyBandwidth measure_copy_bandwidth(const DeviceTraits& device) {
    use_device(device.index);
    const std::size_t most = free_device_bytes() / 4;
    const std::size_t bytes = std::min(std::max(wanted_bytes, 5 * device.l2_bytes), most) / 256 * 256;
    const DeviceBuffer front(std::min(front_bytes, most) / 256 * 256, "what is read before a copy");
    const DeviceBuffer from(bytes, "the source of a copy");
    const DeviceBuffer to(bytes, "the destination of a copy");
    const Stream stream;
    call<cudaMemsetAsync>("filling the source of a copy", from.data(), 1, bytes, stream.get());
    const double library_us = median_us(stream, front, [&] {
        call<cudaMemcpyAsync>("copying on the device", to.data(), from.data(), bytes,
                              cudaMemcpyDeviceToDevice, stream.get());
    });
    const double own_us =
        median_us(stream, front, [&] { launch_copy(from.data(), to.data(), bytes, stream.get()); });
    const double moved = 2.0 * static_cast<double>(bytes);
    if (own_us < library_us) return {moved / own_us * 1e6, "hacscale copy"};
    return {moved / library_us * 1e6, "cudaMemcpyAsync"};
}

}  // namespace hacscale::cuda
