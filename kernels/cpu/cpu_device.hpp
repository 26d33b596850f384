// What this CPU is, as far as it decides timings.
#pragma once

#include <string>
#include <vector>

#include "kernels/backend.hpp"

namespace hacscale::cpu {

// Read once a process. The fingerprint covers the processor's name, cache sizes, the threads used, and the
// versions of oneDNN and of this backend.
const BackendDevice& cpu_device();

// Bytes of the last-level cache; 32 MiB where the system does not say.
std::size_t last_level_cache_bytes();

// Reads and writes far more than the last-level cache holds; bytes moved a second, the best of a few passes.
double copy_bandwidth();

}  // namespace hacscale::cpu
