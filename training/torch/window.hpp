// Convolutions and pools over any window. libtorch pads both sides alike, and pools at most by half their kernel: other
// padding is laid around the input first.
#pragma once

#include <ATen/ATen.h>

#include "models/ops/layer_spec.hpp"

namespace hacscale::training {

at::Tensor conv_over(const Window& window, const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, std::int64_t groups = 1);
at::Tensor max_pool_over(const Window& window, const at::Tensor& input);
// Padding does not count.
at::Tensor avg_pool_over(const Window& window, const at::Tensor& input);

}  // namespace hacscale::training
