// Enqueues the kernels of this folder: the seam between the layers, which are plain C++, and what nvcc
// compiles. Tests put launchers of their own in its place, which run the same kernels on the CPU.
//
// `vectors`: channels (or features) are a multiple of 16 bytes of elements, and accesses are that wide. All
// throw as cuda_error.hpp, and all may be called while the stream is captured.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/device/attention.hpp"
#include "kernels/cuda/device/bilinear.hpp"
#include "kernels/cuda/device/channel_moments.hpp"
#include "kernels/cuda/device/channel_sums.hpp"
#include "kernels/cuda/device/concat.hpp"
#include "kernels/cuda/device/depthwise.hpp"
#include "kernels/cuda/device/depthwise_tensor.hpp"
#include "kernels/cuda/device/excite_from_sums.hpp"
#include "kernels/cuda/device/gemm.hpp"
#include "kernels/cuda/device/image_norms.hpp"
#include "kernels/cuda/device/layer_norm.hpp"
#include "kernels/cuda/device/linear.hpp"
#include "kernels/cuda/device/moves.hpp"
#include "kernels/cuda/device/pointwise.hpp"
#include "kernels/cuda/device/pool.hpp"
#include "kernels/cuda/device/squeeze_excite.hpp"
#include "kernels/cuda/device/squeeze_excite_cluster.hpp"
#include "kernels/cuda/device/stem.hpp"
#include "kernels/cuda/device/transposed_conv.hpp"

namespace hacscale::cuda {

// Those that depthwise_specialised() names.
void launch_depthwise_3x3(const DepthwiseParams& params, DataType type, cudaStream_t stream);
void launch_depthwise_5x5(const DepthwiseParams& params, DataType type, cudaStream_t stream);
// All others; the tiling's strip is 1.
void launch_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, cudaStream_t stream);
// Those that depthwise_tensor_fits() names, on matrix units.
void launch_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, cudaStream_t stream);

void launch_pointwise(const PointwiseParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_pool(const PoolParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_transposed_conv(const TransposedConvParams& params, DataType type, bool vectors,
                            cudaStream_t stream);
void launch_move(const MoveParams<ShiftMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<ChannelShuffleMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<PixelShuffleMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<SpaceToDepthMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<TableMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<PermuteMap>& params, cudaStream_t stream);
void launch_move(const MoveParams<ReshapeMap>& params, cudaStream_t stream);
void launch_concat(const ConcatParams& params, cudaStream_t stream);
void launch_bilinear(const BilinearParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_layer_norm(const LayerNormParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_channel_moments(const ChannelMomentsParams& params, DataType type, bool vectors,
                            cudaStream_t stream);
void launch_image_norm(LayerKind kind, const ImageNormParams& params, DataType type, cudaStream_t stream);
void launch_channel_sums(const ChannelSumsParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_means(const MeansParams& params, DataType type, cudaStream_t stream);
void launch_squeeze(const SqueezeParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_excite(const ExciteParams& params, DataType type, bool vectors, cudaStream_t stream);
void launch_excite_from_sums(const ExciteFromSumsParams& params, DataType type, bool vectors,
                             cudaStream_t stream);
void launch_squeeze_excite_cluster(const SqueezeExciteClusterParams& params, DataType type, bool vectors,
                                   cudaStream_t stream);
// f16 and bf16.
void launch_gemm(const GemmParams& params, DataType type, cudaStream_t stream);
// Those that stem_specialised() names, in f16 and bf16.
void launch_stem(const StemParams& params, int kernel, int stride, DataType type, cudaStream_t stream);
void launch_matmul(const MatmulParams& params, DataType type, cudaStream_t stream);
void launch_softmax(const SoftmaxParams& params, DataType type, cudaStream_t stream);
void launch_linear(const LinearParams& params, DataType type, bool vectors, cudaStream_t stream);

}  // namespace hacscale::cuda
