// The launchers of the hand-written kernels for the simulated device: the kernels that nvcc compiles for a
// GPU, run thread by thread on the CPU. Linked before the library, they take the place of its own.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/stream.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/trap.hpp"
#include "tests/kernels/cuda/host_executor.hpp"

namespace hacscale::cuda {
namespace {

using simulated::Device;

constexpr double start_us = 1.5;
constexpr double threads_per_us = 1e6;
constexpr double copied_bytes_per_us = 2.5e6;
constexpr std::size_t touched_bytes = 4096;

// Enqueues the kernel that a with_...() of its header makes.
auto on(cudaStream_t stream) {
    return [stream](const auto& kernel) {
        const double threads = static_cast<double>(kernel.blocks()) * kernel.threads();
        Device::instance().launch(
            stream, start_us + threads / threads_per_us, [kernel] { testing::run_on_host(kernel); },
            programmatic_launches_wanted());
        check_launch("launching a kernel");
    };
}

}  // namespace

void launch_depthwise_3x3(const DepthwiseParams& params, DataType type, cudaStream_t stream) {
    with_depthwise<3>(params, type, on(stream));
}
void launch_depthwise_5x5(const DepthwiseParams& params, DataType type, cudaStream_t stream) {
    with_depthwise<5>(params, type, on(stream));
}
void launch_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_depthwise_any(params, type, vectors, on(stream));
}
void launch_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, cudaStream_t stream) {
    with_depthwise_tensor(params, type, on(stream));
}
void launch_pointwise(const PointwiseParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_pointwise(params, type, vectors, on(stream));
}
void launch_pool(const PoolParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_pool(params, type, vectors, on(stream));
}
void launch_move(const MoveParams<ShiftMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<ChannelShuffleMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<PixelShuffleMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<SpaceToDepthMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<TableMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<PermuteMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_move(const MoveParams<ReshapeMap>& params, cudaStream_t stream) {
    with_move(params, on(stream));
}
void launch_matmul(const MatmulParams& params, DataType type, cudaStream_t stream) {
    with_matmul(params, type, on(stream));
}
void launch_softmax(const SoftmaxParams& params, DataType type, cudaStream_t stream) {
    with_softmax(params, type, on(stream));
}
void launch_concat(const ConcatParams& params, cudaStream_t stream) {
    with_concat(params, on(stream));
}
void launch_bilinear(const BilinearParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_bilinear(params, type, vectors, on(stream));
}
void launch_transposed_conv(const TransposedConvParams& params, DataType type, bool vectors,
                            cudaStream_t stream) {
    with_transposed_conv(params, type, vectors, on(stream));
}
void launch_layer_norm(const LayerNormParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_layer_norm(params, type, vectors, on(stream));
}
void launch_channel_moments(const ChannelMomentsParams& params, DataType type, bool vectors,
                            cudaStream_t stream) {
    with_channel_moments(params, type, vectors, on(stream));
}
void launch_image_norm(LayerKind kind, const ImageNormParams& params, DataType type, cudaStream_t stream) {
    with_image_norm(kind, params, type, on(stream));
}
void launch_channel_sums(const ChannelSumsParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_channel_sums(params, type, vectors, on(stream));
}
void launch_means(const MeansParams& params, DataType type, cudaStream_t stream) {
    with_means(params, type, on(stream));
}
void launch_squeeze(const SqueezeParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_squeeze(params, type, vectors, on(stream));
}
void launch_excite(const ExciteParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_excite(params, type, vectors, on(stream));
}
void launch_excite_from_sums(const ExciteFromSumsParams& params, DataType type, bool vectors,
                             cudaStream_t stream) {
    with_excite_from_sums(params, type, vectors, on(stream));
}
void launch_squeeze_excite_cluster(const SqueezeExciteClusterParams& params, DataType type, bool vectors,
                                   cudaStream_t stream) {
    with_squeeze_excite_cluster(params, type, vectors, on(stream));
}
void launch_gemm(const GemmParams& params, DataType type, cudaStream_t stream) {
    with_gemm(params, type, on(stream));
}
void launch_stem(const StemParams& params, int kernel, int stride, DataType type, cudaStream_t stream) {
    with_stem(params, kernel, stride, type, on(stream));
}
void launch_linear(const LinearParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_linear(params, type, vectors, on(stream));
}

// The simulated device has no caches: both ends are enough to see that the buffer is there.
void launch_touch(const void* buffer, std::size_t bytes, cudaStream_t stream) {
    const std::size_t touched = std::min(bytes, touched_bytes);
    Device::instance().launch(stream, start_us + static_cast<double>(bytes) / copied_bytes_per_us, [=] {
        std::array<std::byte, touched_bytes> read;
        std::memcpy(read.data(), buffer, touched);
        std::memcpy(read.data(), static_cast<const std::byte*>(buffer) + bytes - touched, touched);
    });
    check_launch("launching a read");
}

void launch_copy(const void* source, void* destination, std::size_t bytes, cudaStream_t stream) {
    const std::size_t copied = bytes / 16 * 16;
    Device::instance().launch(stream, start_us + static_cast<double>(copied) / copied_bytes_per_us,
                              [=] { std::memcpy(destination, source, copied); });
    check_launch("launching a copy");
}

void launch_read_and_write(const void* source, std::size_t read_bytes, void* destination,
                           std::size_t write_bytes, cudaStream_t stream) {
    const double moved = static_cast<double>(read_bytes + write_bytes) / 2.0;
    Device::instance().launch(stream, start_us + moved / copied_bytes_per_us,
                              [=] { std::memcpy(destination, source, std::min(read_bytes, write_bytes)); });
    check_launch("launching a copy of a layer's bytes");
}

}  // namespace hacscale::cuda

namespace hacscale::testing {

void launch_trap(cudaStream_t stream) {
    simulated::Device::instance().break_kernel(1, cudaErrorLaunchFailure);
    simulated::Device::instance().launch(stream, 1.0, [] {});
}

}  // namespace hacscale::testing
