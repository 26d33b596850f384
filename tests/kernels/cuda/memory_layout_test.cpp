#include "kernels/cuda/memory_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/cuda/host_tensor.hpp"
#include "models/graph/single_layer.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale::cuda {
namespace {

struct Extent {
    std::size_t begin = 0;
    std::size_t end = 0;
};

bool overlap(const Extent& a, const Extent& b) {
    return a.begin < b.end && b.begin < a.end;
}

std::vector<std::size_t> sizes_of_weights(const Network& network, DataType type) {
    std::vector<std::size_t> sizes;
    for (const NetworkNode& node : network.nodes) {
        sizes.push_back(static_cast<std::size_t>(cost_of(node.layer, 1, type).params) * size_of(type));
    }
    return sizes;
}

// Whatever a layer reads or writes is apart from what it writes, in place, and no other layer writes over it
// before it was last read.
void expect_sound(const Network& network, int batch, DataType type) {
    const std::vector<std::size_t> weight_sizes = sizes_of_weights(network, type);
    constexpr std::size_t workspace_bytes = 1000;
    const MemoryLayout layout = lay_out(network, batch, type, weight_sizes, workspace_bytes);
    const int count = static_cast<int>(network.nodes.size());
    ASSERT_EQ(layout.weights.size(), network.nodes.size());
    ASSERT_EQ(layout.outputs.size(), network.nodes.size());

    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(layout.weights[i] % buffer_alignment, 0U);
        const std::size_t end = i + 1 < count ? layout.weights[i + 1] : layout.weight_bytes;
        EXPECT_LE(layout.weights[i] + weight_sizes[i], end);
    }

    const LayerSpec& first = network.nodes.front().layer;
    const Extent input{layout.input, layout.input + input_shape(first, batch).bytes(type)};
    const Extent workspace{layout.workspace, layout.workspace + workspace_bytes};
    EXPECT_EQ(layout.input % buffer_alignment, 0U);
    EXPECT_EQ(layout.residual % buffer_alignment, 0U);
    EXPECT_EQ(layout.workspace % buffer_alignment, 0U);
    EXPECT_LE(input.end, layout.residual);
    EXPECT_LE(layout.residual, layout.written);
    EXPECT_LE(workspace.end, layout.activation_bytes);

    std::vector<Extent> outputs;
    for (int i = 0; i < count; ++i) {
        outputs.push_back(
            {layout.outputs[i], layout.outputs[i] + output_shape(network.nodes[i].layer, batch).bytes(type)});
        EXPECT_EQ(layout.outputs[i] % buffer_alignment, 0U);
        EXPECT_GE(outputs[i].begin, layout.written);
        EXPECT_LE(outputs[i].end, layout.workspace);
    }
    for (int i = 0; i < count; ++i) {
        int last_reader = i + 1 == count ? count : i;
        for (int j = i + 1; j < count; ++j) {
            const NetworkNode& node = network.nodes[j];
            if (node.input == i || (node.layer.residual && node.residual == i)) last_reader = j;
        }
        for (int j = i + 1; j <= std::min(last_reader, count - 1); ++j) {
            EXPECT_FALSE(overlap(outputs[i], outputs[j]))
                << network.nodes[j].name << " writes over " << network.nodes[i].name;
        }
    }
}

TEST(MemoryLayout, KeepsWhatIsAliveApart) {
    for (const auto& models : {hacscale::testing::small_models(), hacscale::testing::unusual_models()}) {
        for (const ModelSpec& model : models) {
            SCOPED_TRACE(model.name);
            for (const DataType type : {DataType::f32, DataType::f16}) expect_sound(lower(model), 3, type);
        }
    }
}

TEST(MemoryLayout, HoldsForNetworksOfTheZoo) {
    for (const char* name : {"resnet50", "mobilenetv2-1.0", "efficientnet-b0"}) {
        SCOPED_TRACE(name);
        expect_sound(lower(find_model(name)), 1, DataType::f16);
    }
}

TEST(MemoryLayout, GivesASingleLayerRoomForItsSecondInput) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 24;
    layer.in_height = layer.in_width = 7;
    layer.residual = true;
    const Network network = single_layer(layer);
    const MemoryLayout layout = lay_out(network, 2, DataType::f16, {100}, 0);
    EXPECT_GE(layout.written - layout.residual, output_shape(layer, 2).bytes(DataType::f16));

    layer.residual = false;
    const MemoryLayout without = lay_out(single_layer(layer), 2, DataType::f16, {100}, 0);
    EXPECT_EQ(without.written, without.residual);
}

}  // namespace
}  // namespace hacscale::cuda
