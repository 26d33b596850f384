// The zoo's activations as libtorch computes and differentiates them.
#pragma once

#include <ATen/ATen.h>

#include "models/ops/layer_spec.hpp"

namespace hacscale::training {

// May overwrite x, where the backward pass can do with the result alone: it saves a pass over memory.
at::Tensor activated(at::Tensor x, Activation activation);

}  // namespace hacscale::training
