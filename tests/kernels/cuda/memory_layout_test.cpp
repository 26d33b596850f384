#include "kernels/cuda/memory_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/cuda/host_tensor.hpp"
#include "models/graph/graph.hpp"
#include "models/stages/lowering.hpp"
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

std::vector<std::size_t> sizes_of_weights(const Graph& network, DataType type) {
    std::vector<std::size_t> sizes;
    for (const Node& node : network.nodes) {
        sizes.push_back(static_cast<std::size_t>(cost_of(node.layer, 1, type).params) * size_of(type));
    }
    return sizes;
}

// Whatever a layer reads or writes is apart from what it writes, in place, and no other layer writes over it
// before it was last read.
void expect_sound(const Graph& network, int batch, DataType type) {
    const std::vector<std::size_t> weight_sizes = sizes_of_weights(network, type);
    constexpr std::size_t workspace_bytes = 1000;
    const MemoryLayout layout = lay_out(network, batch, type, weight_sizes, workspace_bytes);
    const int count = static_cast<int>(network.nodes.size());
    ASSERT_EQ(layout.weights.size(), network.nodes.size());
    ASSERT_EQ(layout.tensors.size(), network.tensors.size());

    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(layout.weights[i] % buffer_alignment, 0U);
        const std::size_t end = i + 1 < count ? layout.weights[i + 1] : layout.weight_bytes;
        EXPECT_LE(layout.weights[i] + weight_sizes[i], end);
    }

    const Extent workspace{layout.workspace, layout.workspace + workspace_bytes};
    EXPECT_EQ(layout.workspace % buffer_alignment, 0U);
    EXPECT_LE(workspace.end, layout.activation_bytes);

    std::vector<Extent> extents;
    for (std::size_t id = 0; id < network.tensors.size(); ++id) {
        const std::size_t begin = layout.tensors[id];
        extents.push_back({begin, begin + shape_of(network.tensors[id], batch).bytes(type)});
        EXPECT_EQ(begin % buffer_alignment, 0U);
        if (network.tensors[id].producer == no_node) {
            EXPECT_LE(extents[id].end, layout.written) << "inputs are apart from what is written";
        } else {
            EXPECT_GE(begin, layout.written);
            EXPECT_LE(extents[id].end, layout.workspace);
        }
    }
    const std::vector<int> last = last_readers(network);
    for (std::size_t id = 0; id < network.tensors.size(); ++id) {
        const int producer = network.tensors[id].producer;
        for (int j = producer + 1; j <= std::min(last[id], count - 1); ++j) {
            EXPECT_FALSE(overlap(extents[id], extents[network.nodes[j].outputs.front()]))
                << network.nodes[j].name << " writes over tensor " << id;
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
    const Graph network = single_layer(layer);
    const MemoryLayout layout = lay_out(network, 2, DataType::f16, {100}, 0);
    EXPECT_GE(layout.written - layout.tensors[network.inputs[1]],
              output_shape(layer, 2).bytes(DataType::f16));

    layer.residual = false;
    const MemoryLayout without = lay_out(single_layer(layer), 2, DataType::f16, {100}, 0);
    EXPECT_EQ(without.written, layout.tensors[network.inputs[1]]);
}

}  // namespace
}  // namespace hacscale::cuda
