#include "kernels/cuda/cuda_error.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

constexpr double mebibyte = 1024.0 * 1024.0;

std::string free_memory() {
    std::size_t free = 0;
    std::size_t total = 0;
    if (cudaMemGetInfo(&free, &total) != cudaSuccess) return {};
    return fmt::format(" ({:.0f} of {:.0f} MiB are free)", static_cast<double>(free) / mebibyte,
                       static_cast<double>(total) / mebibyte);
}

}  // namespace

// The errors whose description in driver_types.h ends in "the process must be terminated and relaunched", and
// those of a device that is gone.
bool is_sticky(cudaError_t error) {
    switch (error) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorAssert:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorTensorMemoryLeak:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorContained:
        case cudaErrorContextIsDestroyed:
        case cudaErrorMpsClientTerminated:
        case cudaErrorExternalDevice:
            return true;
        default:
            return false;
    }
}

void check(cudaError_t error, std::string_view what) {
    if (error == cudaSuccess) return;
    // Take the error off the thread's record, or the next check_launch() would see it again.
    cudaGetLastError();
    const std::string text =
        fmt::format("{} failed: {} ({})", what, cudaGetErrorString(error), cudaGetErrorName(error));
    if (error == cudaErrorMemoryAllocation) {
        throw OutOfDeviceMemory(fmt::format("out of device memory while {}{}", what, free_memory()));
    }
    if (is_sticky(error)) {
        throw DeviceLost(text +
                         "; the device cannot be used any more by this process, start the program again");
    }
    throw WorkError(text);
}

void check_launch(std::string_view what) {
    check(cudaGetLastError(), what);
}

}  // namespace hacscale::cuda
