// A conv that Winograd's algorithm runs, as a layer.
#pragma once

#include <optional>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace hacscale::cpu {

// A candidate to run the layer, with `outputs` rows and columns a tile; none for a layer that the algorithm does not
// fit (it takes dense f32 convs of 3 x 3 windows at stride 1), or of an activation that it does not fuse.
struct WinogradPlan {
    WinogradConv conv;
    const WinogradKernels* kernels;

    std::string name() const;
};
std::optional<WinogradPlan> winograd_plan(const LayerContext& context, const WinogradKernels& kernels,
                                          int outputs, bool share_channels);

std::unique_ptr<CpuLayer> make_winograd(const LayerContext& context, const WinogradPlan& plan);

}  // namespace hacscale::cpu
