// Networks of 8-bit integers as ONNX: what is quantized, and that what the integers stand for is the network.
#include "models/formats/onnx_export/quantized.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::Contains;
using ::testing::Not;

struct Exported {
    explicit Exported(const char* model) : network{.name = model, .graph = lower(find_model(model))} {
        network.weights = random_weights(network.graph, 1);
        exported = export_onnx_traced(network);
        values = values_to_quantize(exported, network.graph);
    }

    TracedExport with(ValueRange range) const {
        return quantized(exported, network.graph, std::vector<ValueRange>(values.size(), range));
    }

    Network network;
    TracedExport exported;
    std::vector<std::string> values;
};

const onnx::Tensor& tensor_named(const onnx::Graph& graph, const std::string& name) {
    return *std::ranges::find(graph.initializers, name, &onnx::Tensor::name);
}

TEST(Quantized, InputsAndWhatIsBetweenLayersIsQuantizedAndOutputsAreNot) {
    const Exported resnet("resnet20-cifar");
    EXPECT_THAT(resnet.values, Contains("input"));
    EXPECT_THAT(resnet.values, Not(Contains("output")));
    // Without the ReLU of the stem: what it cuts is cut by the quantization behind it.
    EXPECT_THAT(resnet.values, Contains("stem.conv1/Relu"));
    EXPECT_THAT(resnet.values, Not(Contains("stem.conv1")));
    // A residual add has a kernel of its own in some runtimes.
    EXPECT_THAT(resnet.values, Contains("stage1.block1.conv2"));
    const std::set<std::string> once(resnet.values.begin(), resnet.values.end());
    EXPECT_EQ(once.size(), resnet.values.size());
}

TEST(Quantized, EveryConvReadsIntegersThatStandForItsWeights) {
    const Exported resnet("resnet20-cifar");
    const TracedExport integers = resnet.with({-1.0F, 3.0F});
    ASSERT_EQ(integers.layers.size(), integers.model.graph.nodes.size());
    std::map<std::string, const onnx::Node*> writers;
    int convs = 0;
    for (const onnx::Node& node : integers.model.graph.nodes) {
        for (const std::string& input : node.inputs) {
            const bool constant =
                std::ranges::find(integers.model.graph.initializers, input, &onnx::Tensor::name) !=
                integers.model.graph.initializers.end();
            EXPECT_TRUE(constant || input == "input" || writers.contains(input))
                << node.name << " reads " << input << ", which nothing before it wrote";
        }
        if (node.op_type == "Conv" || node.op_type == "Gemm") {
            ++convs;
            for (const std::string& input : node.inputs) {
                ASSERT_TRUE(writers.contains(input)) << node.name << ": " << input;
                EXPECT_EQ(writers.at(input)->op_type, "DequantizeLinear") << node.name;
            }
            // Within half a step of each channel.
            const onnx::Node& weights = *writers.at(node.inputs[1]);
            const onnx::Tensor& stored = tensor_named(integers.model.graph, weights.inputs[0]);
            EXPECT_EQ(stored.type, onnx::DataType::int8);
            const std::vector<float> steps = tensor_named(integers.model.graph, weights.inputs[1]).floats();
            const std::vector<float> numbers = stored.floats();
            const std::vector<float>& exact =
                resnet.network
                    .weights[static_cast<std::size_t>(
                        integers.layers[static_cast<std::size_t>(&node - integers.model.graph.nodes.data())])]
                    .weights;
            ASSERT_EQ(numbers.size(), exact.size());
            const std::size_t each = exact.size() / steps.size();
            for (std::size_t i = 0; i < exact.size(); ++i) {
                ASSERT_NEAR(numbers[i] * steps[i / each], exact[i], 0.501F * steps[i / each]);
            }
        }
        writers[node.outputs.front()] = &node;
    }
    EXPECT_EQ(convs, 22);
    EXPECT_EQ(integers.model.graph.outputs, resnet.exported.model.graph.outputs);
    EXPECT_EQ(integers.model.graph.inputs, resnet.exported.model.graph.inputs);
}

TEST(Quantized, ZeroIsExact) {
    const Exported resnet("resnet8-cifar");
    for (const ValueRange& range :
         {ValueRange{-1.0F, 3.0F}, {0.0F, 6.0F}, {0.5F, 6.0F}, {-2.0F, -1.0F}, {0.0F, 0.0F}}) {
        const TracedExport integers = resnet.with(range);
        const float step = tensor_named(integers.model.graph, "input/scale").floats().front();
        const float zero = tensor_named(integers.model.graph, "input/zero").floats().front();
        EXPECT_GT(step, 0.0F);
        EXPECT_EQ(zero, std::round(zero));
        EXPECT_GE(zero, 0.0F);
        EXPECT_LE(zero, 255.0F);
        EXPECT_LE(-zero * step, std::min(0.0F, range.low) + step);
        EXPECT_GE((255.0F - zero) * step, std::max(0.0F, range.high) - step);
        if (range.low >= 0.0F) {
            EXPECT_EQ(zero, 0.0F) << "a ReLU is the cut at its end";
        }
    }
}

// Two products of uint8 and such weights fit 16 bits.
TEST(Quantized, NarrowWeightsLeaveRoomForASum) {
    const Exported resnet("resnet8-cifar");
    const TracedExport integers =
        quantized(resnet.exported, resnet.network.graph,
                  std::vector<ValueRange>(resnet.values.size(), {-1.0F, 1.0F}), greatest_narrow_weight);
    float largest = 0.0F;
    for (const onnx::Tensor& tensor : integers.model.graph.initializers) {
        if (tensor.type != onnx::DataType::int8) continue;
        for (const float weight : tensor.floats()) largest = std::max(largest, std::abs(weight));
    }
    EXPECT_EQ(largest, 63.0F);
    EXPECT_LE(2 * 255 * 63, 32767);
}

TEST(Quantized, WhatHasNoIntegerKernelIsLeftAsItIs) {
    const Exported mobilenet("mobilenetv3-small-1.0");
    const TracedExport integers = mobilenet.with({-1.0F, 1.0F});
    for (const std::string& value : mobilenet.values) {
        EXPECT_EQ(value.find("squeeze_excite/Conv"), std::string::npos) << value;
    }
    const auto floats = [](const onnx::Model& model) {
        std::multiset<std::string> kinds;
        for (const onnx::Node& node : model.graph.nodes) {
            if (!node.op_type.ends_with("eLinear")) kinds.insert(node.op_type);
        }
        return kinds;
    };
    EXPECT_EQ(floats(integers.model), floats(mobilenet.exported.model));
}

TEST(Quantized, RangesArePutOutInstead) {
    const Exported resnet("resnet8-cifar");
    const onnx::Model model = with_ranges(resnet.exported.model, resnet.values);
    EXPECT_EQ(model.graph.outputs.size(), 2 * resnet.values.size());
    EXPECT_EQ(model.graph.nodes.size(), resnet.exported.model.graph.nodes.size() + 2 * resnet.values.size());
    EXPECT_TRUE(model.graph.outputs.front().shape->empty()) << "one number";
}

}  // namespace
}  // namespace hacscale
