#include "kernels/cuda/device_memory.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"

namespace hacscale::cuda {
namespace {

std::string mebibytes(std::size_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
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
    check(cudaMemGetInfo(&free, &total), "asking for the free device memory");
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

}  // namespace hacscale::cuda
