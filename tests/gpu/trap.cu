#include "tests/gpu/trap.hpp"

namespace hacscale::testing {
namespace {

__global__ void trap() {
    __trap();
}

}  // namespace

void launch_trap(cudaStream_t stream) {
    trap<<<1, 1, 0, stream>>>();
}

}  // namespace hacscale::testing
