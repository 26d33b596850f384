// Which hand-written kernels this program has; part of the fingerprint.
#pragma once

namespace hacscale::cuda {

// A hash of the sources in device/, made when the program is built (cmake/KernelHash.cmake).
extern const char* const kernel_generation;

}  // namespace hacscale::cuda
