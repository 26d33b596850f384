// How fast this device copies its own memory.
#pragma once

#include <string>

#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

struct CopyBandwidth {
    double bytes_per_second = 0.0;  // read plus written
    std::string by;                 // what copied fastest: "cudaMemcpyAsync" or "hacscale copy"
};

// The median over copies of 2 GiB, or of a quarter of the memory that is free where that is less.
CopyBandwidth measure_copy_bandwidth(const DeviceTraits& device);

}  // namespace hacscale::cuda
