// How many warps of a kernel a multiprocessor can hold, as a share of those it could hold at most. Two of the
// three kinds of occupancy follow from numbers alone and are computed here; the third is counted
// (docs/gpu.md).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "profiler/instruments/instruments.hpp"

namespace hacscale {

// What a device offers its kernels. Sizes are bytes.
struct OccupancyLimits {
    int compute_major = 0;
    int compute_minor = 0;
    int multiprocessors = 0;
    int warp_size = 32;
    int threads_per_block = 0;
    int threads_per_multiprocessor = 0;
    int registers_per_block = 0;
    int registers_per_multiprocessor = 0;
    std::size_t shared_per_block = 0;        // without asking
    std::size_t shared_per_block_optin = 0;  // when the kernel asks: large tiles need it
    std::size_t shared_per_multiprocessor = 0;
    std::size_t reserved_shared_per_block = 0;  // taken by the driver
};

struct Occupancy {
    int blocks_per_multiprocessor = 0;  // what registers, shared memory and slots leave room for
    double theoretical = 0.0;           // 0..1: of the whole device, by these blocks and by clusters
    double grid_limited =
        0.0;  // 0..1: the same, but no more blocks than the grid has, spread over the device
};

struct OccupancyResult {
    std::optional<Occupancy> occupancy;
    std::string reason;  // when there is none: the kernel does not fit, or the architecture is not known
};

// By NVIDIA's cuda_occupancy.h, with the opt-in shared memory and no preference between shared memory and L1.
// Of a kernel with thread-block clusters the device holds no more blocks than its clusters have: a cluster has to fit
// one group of multiprocessors, and what is left over there stays empty.
OccupancyResult occupancy_of(const KernelLaunch& kernel, const OccupancyLimits& limits);

// Both occupancies of a layer, over its kernels, weighted by their durations; or the reasons why not.
void fill_occupancies(LayerReadings& readings, const OccupancyLimits& limits);

}  // namespace hacscale
