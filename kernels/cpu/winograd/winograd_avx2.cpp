// Winograd convolutions with AVX2 and FMA: compiled for them by kernels/cpu/CMakeLists.txt.
namespace hacscale::cpu {
namespace {
constexpr int lanes = 8;
constexpr int rows = 6;  // with two vectors each, the sums fill most of the registers
}  // namespace
}  // namespace hacscale::cpu

#include "kernels/cpu/winograd/winograd_kernels.inc"

namespace hacscale::cpu {
const WinogradKernels winograd_avx2{"avx2", lanes, panel, rows, run};
}  // namespace hacscale::cpu
