// A kernel that breaks the device's context, as an illegal access would.
#pragma once

#include <cuda_runtime_api.h>

namespace hacscale::testing {

void launch_trap(cudaStream_t stream);

}  // namespace hacscale::testing
