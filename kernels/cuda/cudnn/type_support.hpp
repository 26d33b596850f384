// Which data types a GPU's convolution kernels can compute in.
#pragma once

#include <string>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

// Why a device of this compute capability (75 for 7.5) cannot run the type; empty when it can.
std::string type_refusal(int compute_capability, DataType type);

}  // namespace hacscale::cuda
