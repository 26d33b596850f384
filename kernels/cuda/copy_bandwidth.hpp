// How fast this device copies its own memory.
#pragma once

#include <string>

#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

struct CopyBandwidth {
    double bytes_per_second = 0.0;  // read plus written
    std::string by;                 // what copied fastest: "cudaMemcpyAsync" or "hacscale copy"
};

// The median over copies of more than four times the L2 cache.
CopyBandwidth measure_copy_bandwidth(const DeviceTraits& device);

}  // namespace hacscale::cuda
