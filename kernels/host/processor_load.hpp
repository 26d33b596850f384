// How busy processors are with whatever runs on them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>

#include "kernels/host/processors.hpp"

namespace hacscale::host {

struct ProcessorTime {
    std::int64_t idle = 0;  // in the kernel's ticks, since the machine started
    std::int64_t all = 0;
};

// Of each online processor; empty where the kernel does not tell. `root` as in processors.hpp.
std::map<int, ProcessorTime> processor_times(const std::filesystem::path& root);

// 0..1, of the busiest processor of the core between two readings; 0 where they tell nothing.
double busy_share(const Core& core, const std::map<int, ProcessorTime>& before,
                  const std::map<int, ProcessorTime>& after);

}  // namespace hacscale::host
