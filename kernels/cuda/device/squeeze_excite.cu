// The launchers of sums over positions and of squeeze-excite in one, two and three launches.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_channel_sums(const ChannelSumsParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_channel_sums(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching sums over positions", stream);
    });
}

void launch_means(const MeansParams& params, DataType type, cudaStream_t stream) {
    with_means(params, type,
               [stream](const auto& kernel) { launch_kernel(kernel, "launching means", stream); });
}

void launch_squeeze(const SqueezeParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_squeeze(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a squeeze-excite's first product", stream);
    });
}

void launch_excite(const ExciteParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_excite(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a squeeze-excite's scaling", stream);
    });
}

void launch_excite_from_sums(const ExciteFromSumsParams& params, DataType type, bool vectors,
                             cudaStream_t stream) {
    with_excite_from_sums(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a squeeze-excite's products and scaling", stream);
    });
}

void launch_squeeze_excite_cluster(const SqueezeExciteClusterParams& params, DataType type, bool vectors,
                                   cudaStream_t stream) {
    with_squeeze_excite_cluster(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a squeeze-excite in clusters", stream);
    });
}

}  // namespace hacscale::cuda
