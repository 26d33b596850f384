// The ways to run a convolution on the CPU: oneDNN's direct, brgemm and Winograd kernels with everything
// fused, and, where the activation is SiLU, the same kernels without it and a pass of our own after them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/onednn.hpp"

namespace hacscale::cpu {

struct ConvPlan {
    onednn::convolution_forward::primitive_desc primitive;
    bool silu_after = false;
    std::string name() const;
};

struct ConvPlans {
    std::vector<ConvPlan> good;          // worth timing, in the library's order of preference
    std::vector<ConvPlan> last_resorts;  // slow general kernels, for when none of the others can be built
};

// Throws UnsupportedLayer when there is none.
ConvPlans conv_plans(const LayerContext& context);

// Throws dnnl::error when the library offered a plan that it cannot build.
std::unique_ptr<CpuLayer> build(const LayerContext& context, const ConvPlan& plan);

}  // namespace hacscale::cpu
