// The candidates to run a convolution on the CPU: oneDNN's direct, brgemm and Winograd kernels and Winograd
// kernels of our own (winograd/), all with bias, residual add and activation fused, and, where the activation
// is SiLU, the same kernels without it and a pass of our own after them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/onednn.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace hacscale::cpu {

// Whether oneDNN's general kernel without any optimisation goes by this name; it takes hundreds of times as long as others.
bool is_reference_kernel(const std::string& implementation);

struct ConvPlan {
    std::string name;  // of the implementation, as layers report it
    // Throws dnnl::error when the library offered a kernel that it cannot build.
    std::function<std::unique_ptr<CpuLayer>(const LayerContext&)> build;
};

struct ConvPlans {
    std::vector<ConvPlan> good;          // worth timing, in the library's order of preference
    std::vector<ConvPlan> last_resorts;  // slow general kernels, for when none of the others can be built
};

// Throws UnsupportedLayer when there is none.
ConvPlans conv_plans(const LayerContext& context);

// Whether oneDNN has more than its reference kernel for the conv with integers of 8 bits.
bool has_integer_kernel(LayerContext context);

// A candidate of our own to run the layer by Winograd's algorithm, with `outputs` rows and columns a tile; empty for a
// layer that the algorithm does not fit (it takes dense f32 convs of 3 x 3 windows at stride 1), or of an activation
// that it does not fuse.
struct WinogradPlan {
    WinogradConv conv;
    const WinogradKernels* kernels;

    std::string name() const;
};
std::optional<WinogradPlan> winograd_plan(const LayerContext& context, const WinogradKernels& kernels,
                                          int outputs, bool share_channels);

std::unique_ptr<CpuLayer> make_winograd(const LayerContext& context, const WinogradPlan& plan);

// SiLU over a whole tensor, in place, for convs whose library kernel spends longer on a fused SiLU than this pass
// takes: values[i] = values[i] / (1 + exp(-values[i])), with all threads, each its contiguous share: in
// channels-last tensors the rows that the same thread wrote in the conv before. Relative error below 4e-7.
void silu_in_place(float* values, std::size_t count);

}  // namespace hacscale::cpu
