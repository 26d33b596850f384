#include "models/graph/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LayerSpec conv(int in, int out, int kernel = 1) {
    LayerSpec layer;
    layer.in_channels = in;
    layer.out_channels = out;
    layer.in_height = 6;
    layer.in_width = 9;
    layer.window = Window::square(kernel, 1, kernel / 2);
    return layer;
}

LayerSpec with_residual(LayerSpec layer) {
    layer.residual = true;
    return layer;
}

// Two inputs, a tensor read by three nodes, two outputs; the map is 6 x 9.
//   left -> a -+-> b --+
//              +-> c --+-> d (adds a's output to c's) -> first output
//   right -----------------> e (adds b's output)      -> second output
Graph two_in_two_out() {
    Graph graph;
    const TensorId left = graph.add_input(3, 6, 9);
    const TensorId right = graph.add_input(5, 6, 9);
    const TensorId a = graph.add_node({.layer = conv(3, 8), .inputs = {left}, .name = "a"});
    const TensorId b = graph.add_node({.layer = conv(8, 4, 3), .inputs = {a}, .name = "b"});
    const TensorId c = graph.add_node({.layer = conv(8, 8, 3), .inputs = {a}, .name = "c"});
    const TensorId d = graph.add_node({.layer = with_residual(conv(8, 8)), .inputs = {c, a}, .name = "d"});
    const TensorId e =
        graph.add_node({.layer = with_residual(conv(5, 4)), .inputs = {right, b}, .name = "e"});
    graph.outputs = {d, e};
    return graph;
}

TEST(Graph, KnowsItsEdges) {
    const Graph graph = two_in_two_out();
    EXPECT_EQ(validate(graph).value_or("sound"), "sound");
    EXPECT_EQ(graph.producer_of(graph.nodes[0]), no_node);
    EXPECT_EQ(graph.producer_of(graph.nodes[3], 0), 2);
    EXPECT_EQ(graph.producer_of(graph.nodes[3], 1), 0);
    EXPECT_EQ(graph.source_of(graph.nodes[0]), -1);
    EXPECT_EQ(graph.source_of(graph.nodes[4]), -2);
    EXPECT_EQ(graph.source_of(graph.nodes[4], 1), 1);
    EXPECT_EQ(graph.input_of(graph.nodes[4]).channels, 5);
    // left, right, then the outputs of a to e; 5 is for what is needed to the end.
    EXPECT_THAT(last_readers(graph), ElementsAre(0, 4, 3, 4, 3, 5, 5));
}

TEST(Graph, AliveIsWhatIsStillNeeded) {
    const int map = 6 * 9;
    // Channels: left 3, right 5, a 8, b 4, c 8, d 8, e 4.
    EXPECT_THAT(alive_activations(two_in_two_out()),
                ElementsAre((3 + 5 + 8) * map, (5 + 8 + 4) * map, (5 + 8 + 4 + 8) * map,
                            (5 + 8 + 4 + 8 + 8) * map, (5 + 4 + 8 + 4) * map));
    EXPECT_EQ(two_in_two_out().peak_activation_bytes(2, DataType::f32), 2 * 4 * (5 + 8 + 4 + 8 + 8) * map);
}

TEST(Graph, ANodeMayReadMoreTensorsThanFitInItself) {
    TensorIds ids;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(ids.size(), static_cast<std::size_t>(i));
        ids.push_back(100 + i);
        EXPECT_EQ(ids.front(), 100);
        for (int j = 0; j <= i; ++j) EXPECT_EQ(ids[static_cast<std::size_t>(j)], 100 + j);
    }
    const TensorIds copy = ids;
    EXPECT_TRUE(std::equal(ids.begin(), ids.end(), copy.begin(), copy.end()));
}

TEST(Graph, SingleLayersHaveTheInputsThatTheirLayerReads) {
    const Graph plain = single_layer(conv(3, 8, 3));
    EXPECT_EQ(plain.inputs.size(), 1U);
    const Graph adds = single_layer(with_residual(conv(3, 8, 3)));
    ASSERT_EQ(adds.inputs.size(), 2U);
    EXPECT_EQ(adds.tensors[adds.inputs[1]].channels, 8);
    EXPECT_EQ(adds.tensors[adds.inputs[1]].width, 9);
    for (const Graph& graph : {plain, adds}) EXPECT_EQ(validate(graph).value_or("sound"), "sound");
}

TEST(Graph, ValidateNamesTheNodeAndTheFault) {
    const struct {
        void (*spoil)(Graph&);
        const char* fragment;
    } cases[] = {
        {[](Graph& g) { g.nodes[1].inputs = {99}; }, "node 1 (b): it reads tensor 99, which there is not"},
        {[](Graph& g) { g.nodes[1].inputs = {-1}; }, "node 1 (b): it reads tensor -1"},
        {[](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); },
         "node 0 (b): it reads tensor 2, which no input"},
        // A cycle: a reads what d writes.
        {[](Graph& g) { g.nodes[0].inputs = {5}; }, "node 0 (a): it reads tensor 5, which no input"},
        {[](Graph& g) { g.nodes[2].outputs = {3}; },
         "node 2 (c): it writes tensor 3, which has another producer"},
        {[](Graph& g) { g.nodes[2].outputs = {}; }, "node 2 (c): it writes 0 tensors"},
        {[](Graph& g) { g.tensors[4].producer = 3; },
         "node 2 (c): it writes tensor 4, whose producer is said"},
        {[](Graph& g) { g.nodes[3].inputs = {4}; }, "node 3 (d): it reads 1 tensors, the layer"},
        {[](Graph& g) {
             g.nodes[3].inputs = {4, 3};
         },
         "node 3 (d): it adds tensor 3 of 4x6x9, the layer has 8x6x9"},
        {[](Graph& g) { g.tensors[0].width = 8; },
         "node 0 (a): it reads tensor 0 of 3x6x8, the layer has 3x6x9"},
        {[](Graph& g) { g.tensors[2].height = 5; }, "node 0 (a): it writes tensor 2 of 8x5x9"},
        {[](Graph& g) { g.nodes[4].layer.groups = 3; }, "node 4 (e): "},
        {[](Graph& g) { g.nodes.clear(); }, "no nodes"},
        {[](Graph& g) { g.outputs.clear(); }, "no output"},
        {[](Graph& g) { g.outputs = {7}; }, "output 7 of the graph is no tensor"},
        {[](Graph& g) { g.outputs = {1}; }, "tensor 1 is an output of the graph, but no node writes it"},
        {[](Graph& g) {
             g.inputs = {0, 1, 9};
         },
         "input 9 of the graph is no tensor"},
        {[](Graph& g) {
             g.inputs = {0, 0};
         },
         "listed twice"},
        {[](Graph& g) {
             g.inputs = {0, 1, 2};
         },
         "tensor 2 is an input of the graph and has a producer"},
        {[](Graph& g) {
             g.tensors.push_back({1, 1, 1, no_node});
         },
         "tensor 7 has no producer"},
    };
    for (const auto& [spoil, fragment] : cases) {
        Graph graph = two_in_two_out();
        spoil(graph);
        EXPECT_THAT(validate(graph).value_or("accepted"), HasSubstr(fragment));
    }
}

// Of a network with one input: what is alive while node `at` runs, from the definition.
std::int64_t alive_elements(const Graph& network, int at) {
    std::int64_t alive = 0;
    for (TensorId id = 0; id < std::ssize(network.tensors); ++id) {
        const int producer = network.tensors[id].producer;
        if (producer > at) continue;
        bool needed = producer == at || std::count(network.outputs.begin(), network.outputs.end(), id) > 0;
        for (int reader = at; reader < std::ssize(network.nodes); ++reader) {
            const TensorIds& read = network.nodes[reader].inputs;
            needed = needed || std::count(read.begin(), read.end(), id) > 0;
        }
        if (needed) alive += network.tensors[id].elements();
    }
    return alive;
}

TEST(Graph, PeakMemoryIsTheMostAliveAtAnyStep) {
    testing::Generator generate(6);
    for (int i = 0; i < 500; ++i) {
        Graph network;
        try {
            network = lower(generate.model());
        } catch (const InputError&) {
            continue;
        }
        std::int64_t peak = 0;
        for (int at = 0; at < std::ssize(network.nodes); ++at) {
            peak = std::max(peak, alive_elements(network, at));
        }
        ASSERT_EQ(network.peak_activation_bytes(3, DataType::f16), 3 * 2 * peak);
    }
}

TEST(Graph, TotalsAreSumsOverLayers) {
    const Graph network = lower(find_model("efficientnet-b0"));
    LayerCost sum;
    for (const Node& node : network.nodes) sum += cost_of(node.layer, 1, DataType::f32);
    EXPECT_EQ(network.macs(), sum.macs);
    EXPECT_EQ(network.activations(), sum.activations);
    EXPECT_EQ(network.bytes(1, DataType::f32), sum.bytes);
    EXPECT_EQ(network.weight_bytes(DataType::bf16), 2 * sum.params);
    // Folding takes the scale of each batch-norm into the weights, so fewer numbers are held than were
    // learned.
    EXPECT_LT(sum.params, network.params());
}

}  // namespace
}  // namespace hacscale
