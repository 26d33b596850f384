// Is what a device computes right? Asked of every layer before its time counts.
#pragma once

#include <string>

#include "kernels/backend/backend.hpp"

namespace hacscale {

struct SpotCheck {
    bool right = false;
    double relative_error = 0.0;
    std::string reason;  // when not right: what was wrong, and with which kernel
};

// Runs the layer alone with random weights and inputs over poisoned outputs, and compares with the
// double-precision reference: every output of cheap layers, a few hundred outputs spread over the tensor of
// convs. Every output has to be a number. The bounds are 1e-4 for f32, 2e-2 for bf16 and f16, relative, over
// the compared outputs.
SpotCheck spot_check(Backend& backend, const std::string& device, const LayerSpec& layer,
                     const CompileOptions& options);

}  // namespace hacscale
