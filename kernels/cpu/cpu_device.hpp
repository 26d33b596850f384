// What this CPU is, as far as it decides timings.
#pragma once

#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace hacscale::cpu {

// Read once a process. The fingerprint covers the processor's name, cache sizes, the threads used, and the
// versions of oneDNN and of this backend.
const BackendDevice& cpu_device();

// Channels in a block of blocked tensors: as many f32 as a vector register of the instruction set holds that
// oneDNN uses here, and no fewer than 8.
int channel_block();

// Our Winograd kernels for the instruction set that oneDNN uses here.
const WinogradKernels& winograd_kernels();

// host::copy_bandwidth() with the threads that layers run on.
double copy_bandwidth();

}  // namespace hacscale::cpu
