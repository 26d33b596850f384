#include <algorithm>

#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/handwritten.hpp"

namespace hacscale::cuda {
namespace {

constexpr int threads = 256;
constexpr int together = 4;  // accesses of a thread in flight

// Neighbouring threads have neighbouring 16 bytes. Four loads go out before the first store.
__global__ void __launch_bounds__(threads)
    copy_vectors(const uint4* source, uint4* destination, std::size_t count) {
    const std::size_t first = static_cast<std::size_t>(blockIdx.x) * (threads * together) + threadIdx.x;
    uint4 values[together];
#pragma unroll
    for (int i = 0; i < together; ++i) {
        if (first + i * threads < count) values[i] = source[first + i * threads];
    }
#pragma unroll
    for (int i = 0; i < together; ++i) {
        if (first + i * threads < count) destination[first + i * threads] = values[i];
    }
}

// Volatile, so that it is read although nothing is done with it.
__device__ __forceinline__ uint4 read_vector(const uint4* from) {
    uint4 value;
    asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "l"(from));
    return value;
}

__global__ void __launch_bounds__(threads) read_vectors(const uint4* source, std::size_t count) {
    const std::size_t first = static_cast<std::size_t>(blockIdx.x) * (threads * together) + threadIdx.x;
#pragma unroll
    for (int i = 0; i < together; ++i) {
        if (first + i * threads < count) read_vector(source + first + i * threads);
    }
}

__global__ void __launch_bounds__(threads)
    read_and_write_vectors(const uint4* source, std::size_t read_count, uint4* destination,
                           std::size_t write_count) {
    const std::size_t first = static_cast<std::size_t>(blockIdx.x) * (threads * together) + threadIdx.x;
    uint4 values[together] = {};
#pragma unroll
    for (int i = 0; i < together; ++i) {
        if (first + i * threads < read_count) values[i] = read_vector(source + first + i * threads);
    }
#pragma unroll
    for (int i = 0; i < together; ++i) {
        if (first + i * threads < write_count) destination[first + i * threads] = values[i];
    }
}

unsigned blocks_for(std::size_t count) {
    return static_cast<unsigned>(
        std::min<std::size_t>(ceil_div<std::size_t>(count, threads * together), max_blocks));
}

}  // namespace

// A grid of 2^31 blocks would copy 32 TiB, more than any device has: one launch is enough.
void launch_copy(const void* source, void* destination, std::size_t bytes, cudaStream_t stream) {
    const std::size_t count = bytes / sizeof(uint4);
    if (count == 0) return;
    copy_vectors<<<blocks_for(count), threads, 0, stream>>>(static_cast<const uint4*>(source),
                                                            static_cast<uint4*>(destination), count);
    check_launch("launching a copy");
}

void launch_read_and_write(const void* source, std::size_t read_bytes, void* destination,
                           std::size_t write_bytes, cudaStream_t stream) {
    const std::size_t read_count = read_bytes / sizeof(uint4);
    const std::size_t write_count = write_bytes / sizeof(uint4);
    if (read_count + write_count == 0) return;
    read_and_write_vectors<<<blocks_for(std::max(read_count, write_count)), threads, 0, stream>>>(
        static_cast<const uint4*>(source), read_count, static_cast<uint4*>(destination), write_count);
    check_launch("launching a copy of a layer's bytes");
}

void launch_touch(const void* buffer, std::size_t bytes, cudaStream_t stream) {
    const std::size_t count = bytes / sizeof(uint4);
    if (count == 0) return;
    read_vectors<<<blocks_for(count), threads, 0, stream>>>(static_cast<const uint4*>(buffer), count);
    check_launch("launching a read");
}

}  // namespace hacscale::cuda
