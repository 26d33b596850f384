// The launchers of layers that move channels and pixels, of resizes and transposed convs.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {
namespace {

template <typename Map>
void launch_words(const MoveParams<Map>& params, cudaStream_t stream) {
    with_move(params, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a move of channels and pixels", stream);
    });
}

}  // namespace

void launch_move(const MoveParams<ShiftMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}
void launch_move(const MoveParams<ChannelShuffleMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}
void launch_move(const MoveParams<PixelShuffleMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}
void launch_move(const MoveParams<SpaceToDepthMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}
void launch_move(const MoveParams<TableMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}

void launch_move(const MoveParams<PermuteMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}
void launch_move(const MoveParams<ReshapeMap>& params, cudaStream_t stream) {
    launch_words(params, stream);
}

void launch_concat(const ConcatParams& params, cudaStream_t stream) {
    with_concat(params,
                [stream](const auto& kernel) { launch_kernel(kernel, "launching a concat", stream); });
}

void launch_bilinear(const BilinearParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_bilinear(params, type, vectors,
                  [stream](const auto& kernel) { launch_kernel(kernel, "launching a resize", stream); });
}

void launch_transposed_conv(const TransposedConvParams& params, DataType type, bool vectors,
                            cudaStream_t stream) {
    with_transposed_conv(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a transposed conv", stream);
    });
}

}  // namespace hacscale::cuda
