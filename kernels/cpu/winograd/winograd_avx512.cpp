// Winograd convolutions with AVX-512: compiled for it by kernels/cpu/CMakeLists.txt.
namespace hacscale::cpu {
namespace {
constexpr int lanes = 16;
constexpr int rows = 8;  // with two vectors each, the sums fill most of the registers
}  // namespace
}  // namespace hacscale::cpu

#include "kernels/cpu/winograd/winograd_kernels.inc"

namespace hacscale::cpu {
const WinogradKernels winograd_avx512{"avx512", lanes, panel, rows, run};
}  // namespace hacscale::cpu
