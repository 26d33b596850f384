// CUDA's return codes as exceptions. After some errors (an illegal address, a failed assertion) every later
// call of the process fails: those become DeviceLost, so that the caller can go on in a fresh process.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cuda {

// The device cannot hold what was asked for. Nothing else is wrong with it.
class OutOfDeviceMemory : public WorkError {
    using WorkError::WorkError;
};

// Errors that leave the context unusable (CUDA runtime API, "error handling").
bool is_sticky(cudaError_t error);

// `what` is the work that failed, in words: "copying the input". Throws OutOfDeviceMemory, DeviceLost for
// sticky errors, WorkError otherwise.
void check(cudaError_t error, std::string_view what);

// check() of what an asynchronous launch left behind, without waiting.
void check_launch(std::string_view what);

}  // namespace hacscale::cuda
