// CUDA's return codes as exceptions. After some errors (an illegal address, a failed assertion) every later
// call of the process fails: those become DeviceLost, so that the caller can resume in a fresh process.
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

// Errors that say "no device" or "unknown". Where this process has a context already, they mean that its device is
// gone: a GPU that fell off the bus mostly answers with 999.
bool is_loss_of_a_device_in_use(cudaError_t error);

// From here on, the process has a context on the device.
void note_device_in_use(int index);
bool device_in_use(int index);

// Throws OutOfDeviceMemory; DeviceLost for sticky errors, and for errors that mean the loss of a device in use, once
// there is one; WorkError otherwise. The last two name the place of the call, and the call where it is known.
void check(cudaError_t error, const CallSite& site, std::string_view function = {});

// check() of what an asynchronous launch left behind, without waiting.
void check_launch(const CallSite& site);

// "cudaMalloc" for the function of that name.
template <auto Function>
std::string_view function_name() {
    constexpr std::string_view mark = "Function = ";  // the name of this instance tells its argument
    std::string_view text = __PRETTY_FUNCTION__;
    text.remove_prefix(text.find(mark) + mark.size());
    if (text.starts_with('&')) text.remove_prefix(1);
    return text.substr(0, text.find_first_of(";],"));
}

// Calls a function of the CUDA runtime, and check()s: call<cudaEventRecord>("recording an event", event, stream).
template <auto Function, typename... Arguments>
void call(const CallSite& site, const Arguments&... arguments) {
    check(Function(arguments...), site, function_name<Function>());
}

// Waits for the current device's work. Throws DeviceLost when the device no longer answers: asked before a failure
// is put down to a layer, because libraries answer in their own words on a broken device.
void check_device_works();

}  // namespace hacscale::cuda
