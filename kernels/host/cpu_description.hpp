// What this machine's CPU is, as far as it decides timings, and how fast its memory is: for every backend that computes on it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::host {

struct CpuDescription {
    std::string processor;                      // its name
    std::vector<Core> cores;                    // of the machine, not only those that this process may use
    std::map<std::string, std::string> caches;  // of the first core: "L1d" -> "48K"
    std::string memory;                         // "64 GiB"
};

// Read once a process.
const CpuDescription& this_cpu();

// Of the processor, as /proc/cpuinfo names them: "avx2", "avx512_bf16". Empty on other systems.
std::vector<std::string> cpu_flags();

// Whether the processor adds products of 8-bit integers in 32 bits (VNNI), whatever a limit of oneDNN's says.
bool has_wide_integer_sums();

// What may spoil timings here: clocks that follow the load, a virtual machine, other work.
std::vector<std::string> cpu_warnings();

// Bytes of the last-level cache; 32 MiB where the system does not say.
std::size_t last_level_cache_bytes();

// Runs work(i, n) for i from 0 to n - 1 at once, on n threads of its choice.
using OnAllThreads = std::function<void(const std::function<void(int index, int count)>& work)>;

// Reads and writes far more than the last-level cache holds; bytes moved a second, the best of a few passes.
double copy_bandwidth(const OnAllThreads& on_all_threads);

}  // namespace hacscale::host
