// The launchers of kernels/cuda/device/launch.hpp for tests: they run the kernels on the CPU. Linked before
// the library, they take the place of those that nvcc compiles.
#include "kernels/cuda/device/launch.hpp"

#include "tests/kernels/cuda/host_executor.hpp"

namespace hacscale::cuda {
namespace {

constexpr auto on_host = [](const auto& kernel) { testing::run_on_host(kernel); };

}  // namespace

void launch_depthwise_3x3(const DepthwiseParams& params, DataType type, cudaStream_t) {
    with_depthwise<3>(params, type, on_host);
}
void launch_depthwise_5x5(const DepthwiseParams& params, DataType type, cudaStream_t) {
    with_depthwise<5>(params, type, on_host);
}
void launch_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, cudaStream_t) {
    with_depthwise_any(params, type, vectors, on_host);
}
void launch_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, cudaStream_t) {
    with_depthwise_tensor(params, type, on_host);
}
void launch_pointwise(const PointwiseParams& params, DataType type, bool vectors, cudaStream_t) {
    with_pointwise(params, type, vectors, on_host);
}
void launch_pool(const PoolParams& params, DataType type, bool vectors, cudaStream_t) {
    with_pool(params, type, vectors, on_host);
}
void launch_move(const MoveParams<ShiftMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<ChannelShuffleMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<PixelShuffleMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<SpaceToDepthMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<TableMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<PermuteMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_move(const MoveParams<ReshapeMap>& params, cudaStream_t) {
    with_move(params, on_host);
}
void launch_matmul(const MatmulParams& params, DataType type, cudaStream_t) {
    with_matmul(params, type, on_host);
}
void launch_softmax(const SoftmaxParams& params, DataType type, cudaStream_t) {
    with_softmax(params, type, on_host);
}
void launch_concat(const ConcatParams& params, cudaStream_t) {
    with_concat(params, on_host);
}
void launch_bilinear(const BilinearParams& params, DataType type, bool vectors, cudaStream_t) {
    with_bilinear(params, type, vectors, on_host);
}
void launch_transposed_conv(const TransposedConvParams& params, DataType type, bool vectors, cudaStream_t) {
    with_transposed_conv(params, type, vectors, on_host);
}
void launch_layer_norm(const LayerNormParams& params, DataType type, bool vectors, cudaStream_t) {
    with_layer_norm(params, type, vectors, on_host);
}
void launch_channel_moments(const ChannelMomentsParams& params, DataType type, bool vectors, cudaStream_t) {
    with_channel_moments(params, type, vectors, on_host);
}
void launch_image_norm(LayerKind kind, const ImageNormParams& params, DataType type, cudaStream_t) {
    with_image_norm(kind, params, type, on_host);
}
void launch_channel_sums(const ChannelSumsParams& params, DataType type, bool vectors, cudaStream_t) {
    with_channel_sums(params, type, vectors, on_host);
}
void launch_means(const MeansParams& params, DataType type, cudaStream_t) {
    with_means(params, type, on_host);
}
void launch_squeeze(const SqueezeParams& params, DataType type, bool vectors, cudaStream_t) {
    with_squeeze(params, type, vectors, on_host);
}
void launch_excite(const ExciteParams& params, DataType type, bool vectors, cudaStream_t) {
    with_excite(params, type, vectors, on_host);
}
void launch_excite_from_sums(const ExciteFromSumsParams& params, DataType type, bool vectors, cudaStream_t) {
    with_excite_from_sums(params, type, vectors, on_host);
}
void launch_squeeze_excite_cluster(const SqueezeExciteClusterParams& params, DataType type, bool vectors,
                                   cudaStream_t) {
    with_squeeze_excite_cluster(params, type, vectors, on_host);
}
void launch_gemm(const GemmParams& params, DataType type, cudaStream_t) {
    with_gemm(params, type, on_host);
}
void launch_stem(const StemParams& params, int kernel, int stride, DataType type, cudaStream_t) {
    with_stem(params, kernel, stride, type, on_host);
}
void launch_linear(const LinearParams& params, DataType type, bool vectors, cudaStream_t) {
    with_linear(params, type, vectors, on_host);
}

}  // namespace hacscale::cuda
