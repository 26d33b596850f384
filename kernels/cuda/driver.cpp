#include "kernels/cuda/cuda_device.hpp"

#include <cuda.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "kernels/cuda/libraries.hpp"

namespace hacscale::cuda {
namespace {

// A runtime works with every driver of its own major version (CUDA compatibility guide, "minor version
// compatibility").
constexpr int needed_version = CUDART_VERSION / 1000 * 1000;
static_assert(needed_version == 13000, "name the driver that this toolkit needs");
constexpr const char* needed_driver = "580";

template <typename Function>
Function* resolve(const Library& driver, const char* name) {
    auto* function = reinterpret_cast<Function*>(driver.symbol(name));
    if (function == nullptr) {
        throw MissingError(fmt::format("the NVIDIA driver's library {} lacks {}; install driver {} or newer",
                                       driver.path.string(), name, needed_driver));
    }
    return function;
}

[[noreturn]] void throw_no_device() {
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
        throw MissingError(fmt::format(
            "CUDA_VISIBLE_DEVICES is '{}', which hides every GPU; unset it, or set it to a GPU's number",
            visible));
    }
    throw MissingError(
        "the NVIDIA driver finds no GPU; check that 'nvidia-smi -L' lists one, and that a container was "
        "given it");
}

std::string error_text(const Library& driver, CUresult result) {
    const char* text = nullptr;
    if (resolve<decltype(cuGetErrorString)>(driver, "cuGetErrorString")(result, &text) != CUDA_SUCCESS ||
        text == nullptr) {
        text = "unknown error";
    }
    return fmt::format("{} (CUDA error {})", text, static_cast<int>(result));
}

std::string advice_for(CUresult result) {
    switch (result) {
        case CUDA_ERROR_SYSTEM_NOT_READY:
            return "start the NVIDIA fabric manager (nvidia-fabricmanager), or reboot";
        case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
            return "the driver was updated while its kernel module was loaded: reboot";
        case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
            return "take the CUDA compatibility package out of LD_LIBRARY_PATH, or install driver " +
                   std::string(needed_driver) + " or newer";
        default:
            return "check that 'nvidia-smi' works, and look for the driver's messages in the kernel log";
    }
}

}  // namespace

int require_driver() {
    const Library driver =
        open_library("libcuda.so.1",
                     fmt::format("install the NVIDIA driver, {} or newer, which brings it; in a container, "
                                 "give it the GPU (docker run --gpus all)",
                                 needed_driver));
    if (driver.handle == nullptr) throw MissingError("there is no NVIDIA driver here: " + driver.reason);
    int version = 0;
    const CUresult told = resolve<decltype(cuDriverGetVersion)>(driver, "cuDriverGetVersion")(&version);
    if (told != CUDA_SUCCESS) {
        throw MissingError(fmt::format("the NVIDIA driver does not tell its version: {}; {}",
                                       error_text(driver, told), advice_for(told)));
    }
    if (version < needed_version) {
        throw MissingError(
            fmt::format("the NVIDIA driver supports CUDA {}, and this program needs {}; install "
                        "driver {} or newer",
                        cuda_version_text(version), cuda_version_text(needed_version), needed_driver));
    }
    const CUresult started = resolve<decltype(cuInit)>(driver, "cuInit")(0);
    if (started == CUDA_ERROR_NO_DEVICE) throw_no_device();
    if (started != CUDA_SUCCESS) {
        throw MissingError(fmt::format("the NVIDIA driver does not start: {}; {}",
                                       error_text(driver, started), advice_for(started)));
    }
    int devices = 0;
    const CUresult counted = resolve<decltype(cuDeviceGetCount)>(driver, "cuDeviceGetCount")(&devices);
    if (counted != CUDA_SUCCESS) {
        throw MissingError(fmt::format("the NVIDIA driver does not list its GPUs: {}; {}",
                                       error_text(driver, counted), advice_for(counted)));
    }
    if (devices == 0) throw_no_device();
    return version;
}

}  // namespace hacscale::cuda
