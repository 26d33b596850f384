// What may not be done while a graph is captured, as a layer or a library might do it all the same.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cuda_network_runner.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/layer_choice.hpp"
#include "kernels/cuda/stream.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale::cuda {
namespace {

using simulated::Device;

void expect_usable(const Stream& stream) {
    const DeviceBuffer buffer(256, "a test");
    const CapturedGraph graph = CapturedGraph::capture(
        stream, [&] { check(cudaMemsetAsync(buffer.data(), 7, buffer.size(), stream.get()), "filling"); });
    stream.synchronize("uploading");
    EXPECT_NE(buffer.data()[0], std::byte{7}) << "a captured fill has run";
    graph.launch(stream);
    EXPECT_NE(buffer.data()[0], std::byte{7}) << "work ran before it was waited for";
    stream.synchronize("filling");
    EXPECT_EQ(buffer.data()[255], std::byte{7});
}

TEST(SimulatedCapture, EndsWhenSomethingForbiddenIsDone) {
    use_device(0);
    const Stream stream;
    const Event event;
    EXPECT_THROW(CapturedGraph::capture(stream, [] { const DeviceBuffer buffer(16, "a test"); }), WorkError);
    expect_usable(stream);
    EXPECT_THROW(CapturedGraph::capture(stream, [&] { stream.synchronize("waiting"); }), WorkError);
    expect_usable(stream);
    // An error that nobody looked at still spoils the graph.
    EXPECT_THROW(CapturedGraph::capture(stream, [&] { cudaStreamSynchronize(stream.get()); }), WorkError);
    expect_usable(stream);
    EXPECT_THROW(event.record_in_graph(stream), WorkError) << "no graph is captured";
    expect_usable(stream);
    check_launch("looking for errors that were left");
}

TEST(SimulatedCapture, WithoutMemoryForTheGraphLeavesTheStreamUsable) {
    use_device(0);
    const Stream stream;
    Device::instance().fail_allocation(1);
    EXPECT_THROW(CapturedGraph::capture(stream, [] {}), OutOfDeviceMemory);
    expect_usable(stream);
}

// A layer that allocates when it is launched for the second time, which is while the network is captured.
class Allocating final : public CudaLayer {
public:
    explicit Allocating(std::unique_ptr<CudaLayer> layer) : layer_(std::move(layer)) {}
    std::string implementation() const override { return layer_->implementation(); }
    std::size_t weight_bytes() const override { return layer_->weight_bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        layer_->pack_weights(weights, packed);
    }
    std::size_t workspace_bytes() const override { return layer_->workspace_bytes(); }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        if (++launches_ == 2) const DeviceBuffer late(16, "a late thought");
        layer_->launch(buffers, stream);
    }

private:
    std::unique_ptr<CudaLayer> layer_;
    int launches_ = 0;
};

TEST(SimulatedCapture, OfALayerThatAllocatesFailsAndLeavesNothing) {
    const DeviceTraits traits = cuda_device("cuda:0").traits;
    use_device(traits.index);
    const std::size_t blocks = Device::instance().blocks();
    const std::size_t handles = Device::instance().handles();
    const auto choose = [](const LayerContext& context) -> std::shared_ptr<CudaLayer> {
        return std::make_shared<Allocating>(std::move(layer_candidates(context).front()));
    };
    const Graph network = hacscale::testing::three_layers(0);
    EXPECT_THROW(CudaNetworkRunner(network, {1, DataType::f32}, traits, choose, nullptr), WorkError);
    EXPECT_EQ(Device::instance().blocks(), blocks);
    EXPECT_EQ(Device::instance().handles(), handles);
    check_launch("looking for errors that were left");
}

// The simulation itself: an event's time cannot be read too early, nor that of one never recorded.
TEST(SimulatedEvents, TellTheirTimeWhenTheyAreComplete) {
    use_device(0);
    const Stream stream;
    const Event begin;
    const Event end;
    EXPECT_THROW(elapsed_us(begin, end), WorkError);
    begin.record(stream);
    end.record(stream);
    EXPECT_THROW(elapsed_us(begin, end), WorkError);
    stream.synchronize("waiting");
    EXPECT_GT(elapsed_us(begin, end), 0.0);
}

}  // namespace
}  // namespace hacscale::cuda
