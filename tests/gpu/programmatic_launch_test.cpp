// Kernels that may be launched before the one in front of them has ended: what the edges of captured graphs say,
// and that networks compute the same.
#include "kernels/cuda/stream.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "tests/gpu/gpu.hpp"

namespace hacscale::cuda {
namespace {

// For the rest of the test.
class WithProgrammaticLaunches {
public:
    explicit WithProgrammaticLaunches(const char* value) { setenv("HACSCALE_PDL", value, 1); }
    ~WithProgrammaticLaunches() { unsetenv("HACSCALE_PDL"); }
    WithProgrammaticLaunches(const WithProgrammaticLaunches&) = delete;
    WithProgrammaticLaunches& operator=(const WithProgrammaticLaunches&) = delete;
};

// The buffers of a layer whose numbers do not matter.
class Buffers {
public:
    Buffers(const CudaLayer& layer, const LayerContext& context)
        : input_(input_shape(context.layer, context.batch).bytes(context.type), "a test"),
          output_(output_shape(context.layer, context.batch).bytes(context.type), "a test"),
          weights_(layer.weight_bytes(), "a test"),
          workspace_(layer.workspace_bytes(), "a test") {
        for (const DeviceBuffer* buffer : {&input_, &output_, &weights_, &workspace_}) {
            if (buffer->size() > 0) {
                check(cudaMemsetAsync(buffer->data(), 0, buffer->size(), stream_.get()), "clearing");
            }
        }
        stream_.synchronize("clearing");
    }
    LayerBuffers get() const {
        return {input_.data(), nullptr, output_.data(), weights_.data(), workspace_.data()};
    }

private:
    Stream stream_;
    DeviceBuffer input_, output_, weights_, workspace_;
};

class GpuProgrammaticLaunch : public hacscale::testing::GpuTest {
protected:
    void SetUp() override {
        GpuTest::SetUp();
        if (IsSkipped()) return;
        context.type = DataType::f16;
        context.device = cuda_device(device()).traits;
        use_device(context.device.index);
    }
    // Launches the layer three times into a graph, with an event between if wanted.
    GraphEdges edges_of(CudaLayer& layer, bool with_events) const {
        const Buffers buffers(layer, context);
        const Stream stream;
        const Event event;
        layer.launch(buffers.get(), stream.get());  // loads its kernels
        stream.synchronize("running a layer");
        const CapturedGraph graph = CapturedGraph::capture(stream, [&] {
            for (int i = 0; i < 3; ++i) {
                layer.launch(buffers.get(), stream.get());
                if (with_events) event.record_in_graph(stream);
            }
        });
        graph.launch(stream);
        stream.synchronize("running a graph");
        return graph.edges();
    }
    LayerContext context;
};

TEST(ProgrammaticLaunches, AreOffUnlessAskedFor) {
    unsetenv("HACSCALE_PDL");
    EXPECT_FALSE(programmatic_launches_wanted());
    for (const char* off : {"", "0"}) {
        const WithProgrammaticLaunches value(off);
        EXPECT_FALSE(programmatic_launches_wanted()) << off;
    }
    const WithProgrammaticLaunches on("1");
    EXPECT_TRUE(programmatic_launches_wanted());
    const WithProgrammaticLaunches wrong("yes");
    EXPECT_THROW(programmatic_launches_wanted(), InputError);
}

TEST_F(GpuProgrammaticLaunch, MakesEdgesBetweenOwnKernelsAndNoneAcrossEvents) {
    context.layer = LayerSpec::from_key("conv_i32x8x8_o32_k3_s1_p1_g32_bias_relu");
    const auto layer = std::move(handwritten_candidates(context).front());
    EXPECT_EQ(edges_of(*layer, false).programmatic, 0U);
    const WithProgrammaticLaunches on("1");
    const GraphEdges edges = edges_of(*layer, false);
    EXPECT_EQ(edges.all, 2U);
    EXPECT_EQ(edges.programmatic, context.device.compute_capability >= 90 ? 2U : 0U);
    // A clock between layers: each of them starts when the one before has ended.
    const GraphEdges clocked = edges_of(*layer, true);
    EXPECT_EQ(clocked.all, 5U);
    EXPECT_EQ(clocked.programmatic, 0U);
}

// Do the library's kernels let the next one start early? Printed, because it is a property of the library.
TEST_F(GpuProgrammaticLaunch, CountsTheEdgesOfTheLibrarysKernels) {
    for (const char* key :
         {"conv_i64x14x14_o64_k3_s1_p1_g1_bias_relu", "conv_i64x14x14_o256_k1_s1_p0_g1_bias_silu",
          "conv_i64x14x14_o64_k3_s1_p1_g64_bias_relu"}) {
        context.layer = LayerSpec::from_key(key);
        std::string reason;
        for (const auto& layer : cudnn_candidates(context, 4, &reason)) {
            const GraphEdges edges = edges_of(*layer, false);
            EXPECT_GE(edges.all, 2U);
            std::cout << fmt::format("programmatic edges: {} of {}, {} by {}\n", edges.programmatic,
                                     edges.all, key, layer->implementation());
        }
    }
}

// Each layer's output is the next one's input, and is written over soon after: what a kernel that does not wait
// would spoil.
TEST_F(GpuProgrammaticLaunch, LeavesResultsAsTheyAre) {
    const ModelSpec model = hacscale::testing::zoo_model("efficientnet-b0");
    const Graph network = lower(model);
    const LayerSpec& first = network.nodes.front().layer;
    const auto input =
        random_values(static_cast<std::size_t>(first.in_channels) * first.in_height * first.in_width, 5);
    const auto weights = random_weights(network, 6);
    const auto outputs = [&] {
        const Compiled compiled = backend().compile(device(), network, {1, DataType::f16});
        EXPECT_NE(compiled.runner, nullptr) << compiled.reason;
        compiled.runner->load(weights);
        compiled.runner->set_input(0, input);
        std::vector<std::vector<float>> results;
        for (int i = 0; i < hacscale::testing::times(20, 2); ++i) {
            compiled.runner->poison();
            compiled.runner->run();
            results.push_back(compiled.runner->output(0));
        }
        return results;
    };
    const auto plain = outputs();
    const WithProgrammaticLaunches on("1");
    for (const auto& result : outputs()) EXPECT_EQ(result, plain.front());
}

}  // namespace
}  // namespace hacscale::cuda
