#include "kernels/cuda/cuda_error.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

constexpr double mebibyte = 1024.0 * 1024.0;

// One bit a device, as contexts are: of the process, not of an object in it.
std::atomic<std::uint64_t> devices_in_use{0};

std::uint64_t bit_of(int index) {
    return std::uint64_t{1} << (static_cast<unsigned>(index) % 64U);
}

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

bool is_loss_of_a_device_in_use(cudaError_t error) {
    switch (error) {
        case cudaErrorUnknown:             // 999
        case cudaErrorDevicesUnavailable:  // 46
        case cudaErrorSystemNotReady:      // 802
        case cudaErrorNoDevice:            // 100
            return true;
        default:
            return false;
    }
}

void note_device_in_use(int index) {
    devices_in_use |= bit_of(index);
}

bool device_in_use(int index) {
    return (devices_in_use & bit_of(index)) != 0;
}

void check(cudaError_t error, const CallSite& site, std::string_view function) {
    if (error == cudaSuccess) return;
    // Take the error off the thread's record, or the next check_launch() would see it again.
    cudaGetLastError();
    const std::string text =
        fmt::format("{} failed: {} ({})", site.what, cudaGetErrorString(error), cudaGetErrorName(error));
    if (error == cudaErrorMemoryAllocation) {
        throw OutOfDeviceMemory(fmt::format("out of device memory while {}{}", site.what, free_memory()));
    }
    if (is_sticky(error) || (devices_in_use != 0 && is_loss_of_a_device_in_use(error))) {
        throw DeviceLost(
            text + "; the device cannot be used any more by this process, start the program again",
            site.where, function);
    }
    throw WorkError(text, site.where, function);
}

void check_launch(const CallSite& site) {
    check(cudaGetLastError(), site);
}

void check_device_works() {
    call<cudaDeviceSynchronize>("asking the device whether it still works");
}

}  // namespace hacscale::cuda
