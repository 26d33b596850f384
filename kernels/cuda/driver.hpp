// Is there an NVIDIA driver that this program can use, and does it show a GPU? Asked of the driver itself,
// before the CUDA runtime is touched, because the runtime folds most answers into one error.
#pragma once

#include <string>

namespace hacscale::cuda {

// The CUDA version that the driver supports, as 13000 for 13.0. Throws MissingError with what is wrong and
// what to do: no driver, a driver too old for this program, no device, all devices hidden.
int require_driver();

// 13000 -> "13.0"
inline std::string cuda_version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace hacscale::cuda
