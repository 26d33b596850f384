// Stands in for another cuDNN, and for the libraries it consists of: of another major version, or built for another
// CUDA. FAKE_CUDNN and FAKE_CUDART are its answers.
#include <cstddef>

extern "C" {

std::size_t cudnnGetVersion() {
    return FAKE_CUDNN;
}

std::size_t cudnnGetCudartVersion() {
    return FAKE_CUDART;
}
}
