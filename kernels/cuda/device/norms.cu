// The launchers of norms: over a pixel's channels, and what is known of an image's channels for those of whole images.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_layer_norm(const LayerNormParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_layer_norm(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a layer norm", stream);
    });
}

void launch_channel_moments(const ChannelMomentsParams& params, DataType type, bool vectors,
                            cudaStream_t stream) {
    with_channel_moments(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching the moments of channels", stream);
    });
}

void launch_image_norm(LayerKind kind, const ImageNormParams& params, DataType type, cudaStream_t stream) {
    with_image_norm(kind, params, type, [stream](const auto& made) {
        launch_kernel(made, "launching the scales of an image's norm", stream);
    });
}

}  // namespace hacscale::cuda
