// A kernel on a GPU. No header of NVIDIA's is needed here: tables have kernels where there is no CUDA.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace hacscale {

// One kernel as it was launched.
struct KernelLaunch {
    std::string name;  // demangled
    std::array<std::int64_t, 3> grid{1, 1, 1};
    std::array<std::int64_t, 3> block{1, 1, 1};
    int registers_per_thread = 0;
    std::int64_t static_shared_bytes = 0;   // a block
    std::int64_t dynamic_shared_bytes = 0;  // a block
    double duration_us = 0.0;
    // Blocks of a thread-block cluster, which run at one time on neighbouring multiprocessors; zeros where it is not
    // known (devices below compute capability 9.0, tables before schema 4).
    std::array<std::int64_t, 3> cluster{0, 0, 0};
    std::int64_t max_active_clusters = 0;  // that the device holds at one time; 0: not known
    bool operator==(const KernelLaunch&) const = default;
};

}  // namespace hacscale
