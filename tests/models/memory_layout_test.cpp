// Memory layouts over random graphs: tensors that are alive together never share memory.
#include "models/graph/memory_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

struct SizedGraph {
    Graph graph;
    std::vector<std::size_t> bytes;  // of each tensor

    std::size_t sum() const { return std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}); }
};

// Branches, several inputs and outputs, tensors that are read many times or never. The layers are shapeless: sizes are
// drawn, and what is added has the size of the sum, as validate() makes sure of.
SizedGraph random_graph(testing::Generator& generate) {
    SizedGraph sized;
    Graph& graph = sized.graph;
    const int inputs = generate.between(1, 3);
    for (int i = 0; i < inputs; ++i) {
        graph.add_input(1, 1, 1);
        sized.bytes.push_back(4 * generate.between(1, 1000));
    }
    const int count = generate.between(1, 30);
    for (int i = 0; i < count; ++i) {
        const int tensors = static_cast<int>(graph.tensors.size());
        // Recent tensors are read most, as in networks.
        const auto any = [&] { return tensors - 1 - generate.between(0, generate.between(0, tensors - 1)); };
        Node node;
        node.inputs = {generate.coin() ? tensors - 1 : any()};
        std::size_t bytes = 4 * generate.between(1, 1000);
        switch (generate.between(0, 3)) {
            case 0:
                node.layer.kind = LayerKind::squeeze_excite;
                bytes = sized.bytes[node.inputs.front()];
                break;
            case 1:
                node.layer.residual = true;
                node.inputs.push_back(any());
                bytes = sized.bytes[node.residual_input()];
                break;
            case 2:
                node.layer.kind = LayerKind::add;
                node.layer.inputs = 2;
                node.inputs.push_back(any());
                bytes = sized.bytes[node.inputs[static_cast<std::size_t>(generate.between(0, 1))]];
                break;
            default:
                break;
        }
        graph.add_node(std::move(node));
        sized.bytes.push_back(bytes);
    }
    for (TensorId id = inputs; id < std::ssize(graph.tensors); ++id) {
        if (id + 1 == std::ssize(graph.tensors) || generate.between(0, 9) == 0) graph.outputs.push_back(id);
    }
    return sized;
}

// Written out from the definition: the node after which nobody needs the tensor.
int last_needed(const Graph& graph, TensorId id) {
    if (std::count(graph.outputs.begin(), graph.outputs.end(), id) > 0) {
        return static_cast<int>(graph.nodes.size());
    }
    int last = graph.tensors[id].producer;
    for (int i = 0; i < std::ssize(graph.nodes); ++i) {
        const TensorIds& inputs = graph.nodes[i].inputs;
        if (std::count(inputs.begin(), inputs.end(), id) > 0) last = i;
    }
    return last;
}

// The input in whose place the output is.
TensorId overwritten(const Graph& graph, const ArenaLayout& layout, const Node& node) {
    const auto here = [&](TensorId id) {
        return graph.tensors[id].producer != no_node &&
               layout.offsets[id] == layout.offsets[node.outputs.front()];
    };
    return *std::find_if(node.inputs.begin(), node.inputs.end(), here);
}

void expect_sound(const SizedGraph& sized, const ArenaLayout& layout) {
    const auto& [graph, bytes] = sized;
    ASSERT_EQ(layout.offsets.size(), graph.tensors.size());
    ASSERT_EQ(layout.in_place.size(), graph.nodes.size());
    // Rounding up to cache lines is all that may be added.
    EXPECT_LE(layout.bytes, sized.sum() + 64 * graph.nodes.size());
    for (int i = 0; i < std::ssize(graph.nodes); ++i) {
        const Node& node = graph.nodes[i];
        const TensorId output = node.outputs.front();
        EXPECT_EQ(layout.offsets[output] % 64, 0u);
        EXPECT_LE(layout.offsets[output] + bytes[output], layout.bytes);
        if (layout.in_place[i]) {
            const TensorId from = overwritten(graph, layout, node);
            EXPECT_NE(graph.tensors[from].producer, no_node) << "inputs of the graph are kept";
            EXPECT_EQ(layout.offsets[output], layout.offsets[from]);
            EXPECT_EQ(bytes[output], bytes[from]);
            EXPECT_EQ(last_needed(graph, from), i) << "node " << i << " overwrites what is needed later";
            EXPECT_EQ(std::count(node.inputs.begin(), node.inputs.end(), from), 1)
                << "a conv reads its input while it writes";
        }
        for (const Tensor& tensor : graph.tensors) {
            const auto earlier = static_cast<TensorId>(&tensor - graph.tensors.data());
            if (tensor.producer == no_node || tensor.producer >= i) continue;
            if (last_needed(graph, earlier) < i) continue;  // dead before i runs
            if (layout.in_place[i] && overwritten(graph, layout, node) == earlier) continue;
            const bool apart = layout.offsets[earlier] + bytes[earlier] <= layout.offsets[output] ||
                               layout.offsets[output] + bytes[output] <= layout.offsets[earlier];
            EXPECT_TRUE(apart) << "tensors " << earlier << " and " << output;
        }
    }
}

TEST(MemoryLayout, KeepsTensorsApartThatAreAliveTogether) {
    testing::Generator generate(3);
    int in_place_count = 0;
    int outputs = 0;
    for (int trial = 0; trial < 1000 && !::testing::Test::HasFailure(); ++trial) {
        SCOPED_TRACE("trial " + std::to_string(trial));
        const SizedGraph sized = random_graph(generate);
        const ArenaLayout layout = lay_out_arena(sized.graph, sized.bytes, in_place);
        expect_sound(sized, layout);
        in_place_count += static_cast<int>(std::count(layout.in_place.begin(), layout.in_place.end(), true));
        outputs += static_cast<int>(sized.graph.outputs.size());

        const ArenaLayout apart = lay_out_arena(sized.graph, sized.bytes, never_in_place);
        expect_sound(sized, apart);
        EXPECT_EQ(std::count(apart.in_place.begin(), apart.in_place.end(), true), 0);
    }
    EXPECT_GT(in_place_count, 300) << "the cases have to contain residuals that can be overwritten";
    EXPECT_GT(outputs, 1500) << "the cases have to contain graphs of several outputs";
}

TEST(MemoryLayout, HoldsForNetworksOfTheZoo) {
    for (const char* name : {"resnet18", "mobilenetv2-1.0", "efficientnet-b0", "regnety-400mf", "vgg16-bn"}) {
        SizedGraph sized{lower(find_model(name)), {}};
        for (const Tensor& tensor : sized.graph.tensors) {
            sized.bytes.push_back(static_cast<std::size_t>(tensor.elements()) * sizeof(float));
        }
        const ArenaLayout layout = lay_out_arena(sized.graph, sized.bytes, in_place);
        expect_sound(sized, layout);
        EXPECT_LT(layout.bytes, sized.sum() / 2) << name;
    }
}

TEST(MemoryLayout, AddsResidualsInPlaceInAResidualNetwork) {
    const Graph network = lower(find_model("resnet20-cifar"));
    const std::vector<std::size_t> same(network.tensors.size(), 1024);
    const ArenaLayout layout = lay_out_arena(network, same, in_place);
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        EXPECT_EQ(layout.in_place[i], network.nodes[i].layer.residual) << network.nodes[i].name;
    }
}

TEST(MemoryLayout, AnOutputOfTheGraphIsNotOverwritten) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 4;
    LayerSpec add = layer;
    add.residual = true;
    Graph graph;
    const TensorId x = graph.add_input(4, 1, 1);
    const TensorId first = graph.add_node({.layer = layer, .inputs = {x}});
    const TensorId second = graph.add_node({.layer = layer, .inputs = {first}});
    const TensorId sum = graph.add_node({.layer = add, .inputs = {second, first}});
    const std::vector<std::size_t> bytes(graph.tensors.size(), 64);
    graph.outputs = {sum};
    EXPECT_EQ(lay_out_arena(graph, bytes, in_place).offsets[sum],
              lay_out_arena(graph, bytes, in_place).offsets[first]);
    graph.outputs = {sum, first};
    const ArenaLayout kept = lay_out_arena(graph, bytes, in_place);
    EXPECT_NE(kept.offsets[sum], kept.offsets[first]);
}

TEST(MemoryLayout, IsEmptyForAnEmptyGraph) {
    EXPECT_EQ(lay_out_arena({}, {}, in_place).bytes, 0u);
}

}  // namespace
}  // namespace hacscale
