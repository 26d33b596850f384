// Backends of their own for the simulated device, as a new process would make them; but choices of kernels
// are kept a process, so a layer is timed once.
#pragma once

#include <memory>

#include "kernels/backend/backend.hpp"

namespace hacscale::testing {

std::unique_ptr<Backend> new_backend();

}  // namespace hacscale::testing
