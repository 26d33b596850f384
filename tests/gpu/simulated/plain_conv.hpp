// A conv or linear layer as cuDNN's plans compute it, written out on the CPU: NHWC tensors, KRSC weights,
// sums in float.
#pragma once

#include "kernels/cuda/cudnn/conv_graph.hpp"

namespace hacscale::cuda::testing {

// All tensors are in the request's data type. A fused plan adds bias, residual (where the layer has one) and
// activation; the bias of a layer without one is zeros, as it was packed.
void plain_conv(const PlanRequest& request, const ConvTensors& tensors);

}  // namespace hacscale::cuda::testing
