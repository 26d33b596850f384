// Which nodes of its file a layer computes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/formats/onnx_import/onnx_import.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::UnorderedElementsAre;

Tensor ones(const std::string& name, Ints dims) {
    std::int64_t count = 1;
    for (const std::int64_t size : dims) count *= size;
    return tensor_of(name, std::move(dims), std::vector<float>(static_cast<std::size_t>(count), 1.0F));
}

Node named(const std::string& name, Node node) {
    node.name = name;
    return node;
}

// A conv with batch-norm and SiLU, a squeeze-excite in six nodes, a dropout that computes nothing, and a residual add.
Model silu_and_gate() {
    const Attributes padded{{"pads", Ints{1, 1, 1, 1}}};
    return model_of(
        {1, 8, 6, 6},
        {named("/conv/Conv", node("Conv", {"x", "conv.weight"}, {"a"}, padded)),
         named("/bn/BatchNormalization", node("BatchNormalization", {"a", "s", "b", "m", "v"}, {"n"})),
         named("/act/Sigmoid", node("Sigmoid", {"n"}, {"g"})),
         named("/act/Mul", node("Mul", {"n", "g"}, {"h"})),
         named("/se/GlobalAveragePool", node("GlobalAveragePool", {"h"}, {"p"})),
         named("/se/fc1/Conv", node("Conv", {"p", "se.fc1.weight"}, {"q"})),
         named("/se/Relu", node("Relu", {"q"}, {"r"})),
         named("/se/fc2/Conv", node("Conv", {"r", "se.fc2.weight"}, {"t"})),
         named("/se/Sigmoid", node("Sigmoid", {"t"}, {"u"})),
         named("/se/Mul", node("Mul", {"h", "u"}, {"w"})),
         named("/drop/Dropout", node("Identity", {"w"}, {"z"})),
         named("", node("Conv", {"z", "last.weight"}, {"c"}, padded)),
         named("/Add", node("Add", {"c", "x"}, {"y"}))},
        {ones("conv.weight", {8, 8, 3, 3}), ones("s", {8}), ones("b", {8}), ones("m", {8}), ones("v", {8}),
         ones("se.fc1.weight", {4, 8, 1, 1}), ones("se.fc2.weight", {8, 4, 1, 1}),
         ones("last.weight", {8, 8, 3, 3})});
}

TEST(FileNodes, AreWhatALayersOutputIsMadeOf) {
    const Model model = silu_and_gate();
    const Network network = import_onnx(model, "net");
    ASSERT_EQ(network.graph.nodes.size(), 3U);
    ASSERT_EQ(network.tensor_names.size(), network.graph.tensors.size());
    const std::vector<std::vector<std::string>> nodes = file_nodes(model, network);
    ASSERT_EQ(nodes.size(), 3U);
    EXPECT_THAT(nodes[0],
                UnorderedElementsAre("/conv/Conv", "/bn/BatchNormalization", "/act/Sigmoid", "/act/Mul"));
    EXPECT_THAT(nodes[1], UnorderedElementsAre("/se/GlobalAveragePool", "/se/fc1/Conv", "/se/Relu",
                                               "/se/fc2/Conv", "/se/Sigmoid", "/se/Mul"));
    EXPECT_THAT(nodes[2], UnorderedElementsAre("/drop/Dropout", "node_of_c", "/Add"))
        << "what computes nothing goes with the layer that reads it";
}

TEST(FileNodes, OfALayerWithoutAValueOfTheFileAreItsName) {
    Network network = import_onnx(silu_and_gate(), "net");
    const std::vector<std::vector<std::string>> none = file_nodes(Model{}, network);
    network.tensor_names.clear();
    EXPECT_EQ(file_nodes(silu_and_gate(), network), none);
    for (std::size_t i = 0; i < none.size(); ++i) {
        EXPECT_THAT(none[i], UnorderedElementsAre(network.graph.nodes[i].name));
    }
}

}  // namespace
}  // namespace hacscale::onnx
