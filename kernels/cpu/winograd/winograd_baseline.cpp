// Winograd convolutions for processors with neither AVX2 nor AVX-512: vectors of four floats.
namespace hacscale::cpu {
namespace {
constexpr int lanes = 4;
constexpr int rows = 6;  // with two vectors each, the sums fill most of the registers
}  // namespace
}  // namespace hacscale::cpu

#include "kernels/cpu/winograd/winograd_kernels.inc"

namespace hacscale::cpu {
const WinogradKernels winograd_baseline{"baseline", lanes, panel, rows, run};
}  // namespace hacscale::cpu
