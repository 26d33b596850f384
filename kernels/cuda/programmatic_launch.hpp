// Programmatic dependent launch, on devices of compute capability 9.0 and newer: a kernel of this project may
// be launched before the kernel in front of it has ended. It loads what that kernel does not write (weights),
// and then waits for it; the time that a launch takes is spent meanwhile.
//
// Off unless the environment variable HACSCALE_PDL is 1. It is meant to shorten networks, but a clock between layers
// keeps their kernels apart, so rows are then timed by prefixes only (NetworkRunner::kernels_overlap). The
// fingerprint of a device says whether it was on.
//
// What makes it safe: every kernel waits for the one in front of it, also if it needs nothing of it, before
// it stores anything or lets the next kernel start (device/execute.cuh). So when a kernel has waited, all
// before it have ended, and their memory may be written over. Kernels of cuDNN are launched as ever.
#pragma once

namespace hacscale::cuda {

// Throws InputError when HACSCALE_PDL is none of 0, 1 and nothing.
bool programmatic_launches_wanted();

}  // namespace hacscale::cuda
