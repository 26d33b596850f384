// A conv between tensors of 8-bit integers that computes in f32: converts its input, runs a kernel for f32, and converts the result. Winograd's
// algorithm needs a quarter to four ninths of the multiplies of the direct one, but not of integers of 8 bits, so it can be faster than
// kernels that multiply integers, above all where the processor has no VNNI.
#pragma once

#include <functional>
#include <memory>

#include "kernels/cpu/cpu_layer.hpp"

namespace hacscale::cpu {

using BuildConv = std::function<std::unique_ptr<CpuLayer>(const LayerContext&)>;

// The context of the conv in f32 within one of type i8.
LayerContext as_f32(LayerContext context);

// `build` makes a layer of as_f32(context).
std::unique_ptr<CpuLayer> make_integer_conv_in_f32(const LayerContext& context, const BuildConv& build);

}  // namespace hacscale::cpu
