#include "profiler/instruments/occupancy/occupancy.hpp"

#include <cuda_occupancy.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace hacscale {
namespace {

cudaOccDeviceProp device_of(const OccupancyLimits& limits) {
    cudaOccDeviceProp device;
    device.computeMajor = limits.compute_major;
    device.computeMinor = limits.compute_minor;
    device.maxThreadsPerBlock = limits.threads_per_block;
    device.maxThreadsPerMultiprocessor = limits.threads_per_multiprocessor;
    device.regsPerBlock = limits.registers_per_block;
    device.regsPerMultiprocessor = limits.registers_per_multiprocessor;
    device.warpSize = limits.warp_size;
    device.sharedMemPerBlock = limits.shared_per_block;
    device.sharedMemPerMultiprocessor = limits.shared_per_multiprocessor;
    device.numSms = limits.multiprocessors;
    device.sharedMemPerBlockOptin = limits.shared_per_block_optin;
    device.reservedSharedMemPerBlock = limits.reserved_shared_per_block;
    return device;
}

cudaOccFuncAttributes function_of(const KernelLaunch& kernel) {
    cudaOccFuncAttributes function;
    function.maxThreadsPerBlock = std::numeric_limits<int>::max();
    function.numRegs = kernel.registers_per_thread;
    function.sharedSizeBytes = static_cast<std::size_t>(kernel.static_shared_bytes);
    function.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
    function.maxDynamicSharedSizeBytes = static_cast<std::size_t>(kernel.dynamic_shared_bytes);
    function.numBlockBarriers = 1;
    return function;
}

double product(const std::array<std::int64_t, 3>& sizes) {
    return static_cast<double>(sizes[0]) * static_cast<double>(sizes[1]) * static_cast<double>(sizes[2]);
}

// That the device holds at one time.
double resident_blocks(const KernelLaunch& kernel, int blocks_per_multiprocessor, int multiprocessors) {
    const double blocks = static_cast<double>(blocks_per_multiprocessor) * multiprocessors;
    const double cluster = product(kernel.cluster);
    if (cluster <= 1.0 || kernel.max_active_clusters <= 0) return blocks;
    return std::min(blocks, cluster * static_cast<double>(kernel.max_active_clusters));
}

std::string misfit(const KernelLaunch& kernel, const OccupancyLimits& limits) {
    return fmt::format(
        "{} with {} threads, {} registers a thread and {} bytes of shared memory does not fit a "
        "multiprocessor of compute capability {}.{}",
        kernel.name, product(kernel.block), kernel.registers_per_thread,
        kernel.static_shared_bytes + kernel.dynamic_shared_bytes, limits.compute_major, limits.compute_minor);
}

void no_occupancies(LayerReadings& readings, const std::string& reason) {
    readings.reasons["occupancy_theoretical"] = reason;
    readings.reasons["occupancy_grid_limited"] = reason;
}

}  // namespace

OccupancyResult occupancy_of(const KernelLaunch& kernel, const OccupancyLimits& limits) {
    const double threads = product(kernel.block);
    if (threads < 1.0 || threads > limits.threads_per_block) return {std::nullopt, misfit(kernel, limits)};
    const cudaOccDeviceProp device = device_of(limits);
    const cudaOccFuncAttributes function = function_of(kernel);
    const cudaOccDeviceState state;
    cudaOccResult result{};
    const cudaOccError error = cudaOccMaxActiveBlocksPerMultiprocessor(
        &result, &device, &function, &state, static_cast<int>(threads),
        static_cast<std::size_t>(kernel.dynamic_shared_bytes));
    if (error != CUDA_OCC_SUCCESS) {
        return {std::nullopt, fmt::format("the occupancy of compute capability {}.{} is not known to this "
                                          "build's cuda_occupancy.h; build with a newer CUDA toolkit",
                                          limits.compute_major, limits.compute_minor)};
    }
    if (result.activeBlocksPerMultiprocessor == 0) return {std::nullopt, misfit(kernel, limits)};

    const int warps_per_block = (static_cast<int>(threads) + limits.warp_size - 1) / limits.warp_size;
    const int max_warps = limits.threads_per_multiprocessor / limits.warp_size;
    Occupancy occupancy;
    occupancy.blocks_per_multiprocessor = result.activeBlocksPerMultiprocessor;
    const double device_warps = static_cast<double>(limits.multiprocessors) * max_warps;
    const double resident =
        resident_blocks(kernel, occupancy.blocks_per_multiprocessor, limits.multiprocessors);
    occupancy.theoretical = resident * warps_per_block / device_warps;
    occupancy.grid_limited = std::min(resident, product(kernel.grid)) * warps_per_block / device_warps;
    return {occupancy, ""};
}

void fill_occupancies(LayerReadings& readings, const OccupancyLimits& limits) {
    if (readings.kernels.empty()) return no_occupancies(readings, "no kernel of this layer was recorded");
    double time_us = 0.0;
    double theoretical = 0.0;
    double grid_limited = 0.0;
    for (const KernelLaunch& kernel : readings.kernels) {
        const OccupancyResult result = occupancy_of(kernel, limits);
        if (!result.occupancy) return no_occupancies(readings, result.reason);
        time_us += kernel.duration_us;
        theoretical += kernel.duration_us * result.occupancy->theoretical;
        grid_limited += kernel.duration_us * result.occupancy->grid_limited;
    }
    if (time_us <= 0.0) return no_occupancies(readings, "CUPTI gave no times to weight the kernels by");
    readings.occupancy_theoretical = theoretical / time_us;
    readings.occupancy_grid_limited = grid_limited / time_us;
}

}  // namespace hacscale
