// What a network puts out on a device against the double-precision reference.
#include "harness/measure/check_outputs.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace hacscale::harness {
namespace {

using namespace hacscale::testing;

TEST(CheckOutputs, ARightDeviceIsOffByRoundingOnly) {
    const FakeDevice device;
    Network network = chain("chain", {8, 16});
    const CheckedOutputs checked = check_outputs(device.handle, network, 2, DataType::f32);
    EXPECT_TRUE(checked.right());
    EXPECT_LT(checked.relative_error, 1e-6);
    EXPECT_FALSE(checked.worst_layer.empty());
    EXPECT_LT(checked.worst_error, 1e-6);
    // With weights of its own the numbers are others, and as right.
    network.weights = random_weights(network.graph, 99);
    const CheckedOutputs own = check_outputs(device.handle, network, 2, DataType::f32);
    EXPECT_TRUE(own.right());
    EXPECT_NE(own.relative_error, checked.relative_error);
}

TEST(CheckOutputs, TheLayerThatIsWrongIsNamed) {
    FakeDevice device;
    const Network network = chain("chain", {8, 16, 24});
    for (const std::size_t place : {std::size_t{1}, network.graph.nodes.size() - 1}) {
        const Node& wrong = network.graph.nodes[place];
        device.machine.right = [&](const LayerSpec& layer) { return layer != wrong.layer; };
        const CheckedOutputs checked = check_outputs(device.handle, network, 1, DataType::f32);
        EXPECT_EQ(checked.worst_layer, wrong.name);
        EXPECT_EQ(checked.worst_key, wrong.layer.key());
        EXPECT_GT(checked.worst_error, 0.1);
        EXPECT_EQ(checked.right(), place != network.graph.nodes.size() - 1)
            << "the fake device computes each output by itself";
    }
}

TEST(CheckOutputs, ClassesOfImagesAreComparedOnSamples) {
    FakeDevice device;
    const Network network = chain("chain", {8});
    const InputSamples samples{random_inputs(network.graph, 1, 1), random_inputs(network.graph, 1, 2)};
    // The samples begin again.
    const CheckedOutputs right = check_outputs(device.handle, network, 3, DataType::f32, samples);
    EXPECT_EQ(right.same_class, 3);
    device.machine.right = [](const LayerSpec& layer) { return layer.kind != LayerKind::linear; };
    const CheckedOutputs wrong = check_outputs(device.handle, network, 3, DataType::f32, samples);
    ASSERT_TRUE(wrong.same_class.has_value());
    EXPECT_LE(*wrong.same_class, 3);
    EXPECT_FALSE(wrong.right());
}

TEST(CheckOutputs, ANetworkThatCannotRunIsAFailureOfTheWork) {
    FakeDevice device;
    device.machine.supported = [](const LayerSpec& layer) { return layer.kind != LayerKind::linear; };
    EXPECT_THROW(check_outputs(device.handle, chain("chain", {8}), 1, DataType::f32), WorkError);
}

}  // namespace
}  // namespace hacscale::harness
