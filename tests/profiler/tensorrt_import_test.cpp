#include "profiler/table/import/tensorrt.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using detail::parts_of_engine_name;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The layers of this network: a conv, a pool, a conv with a residual, and a classifier after a pool.
Graph graph_of_engine() {
    Graph graph;
    const TensorId image = graph.add_input(3, 32, 32);
    LayerSpec stem = conv(3, 16, 32);
    const TensorId first = graph.add_node({.layer = stem, .inputs = {image}, .name = "conv1"});
    LayerSpec pool;
    pool.kind = LayerKind::max_pool;
    pool.in_channels = pool.out_channels = 16;
    pool.in_height = pool.in_width = 32;
    pool.window = Window::square(2, 2, 0);
    const TensorId pooled = graph.add_node({.layer = pool, .inputs = {first}, .name = "pool"});
    LayerSpec body = conv(16, 16, 16);
    const TensorId inner = graph.add_node({.layer = body, .inputs = {pooled}, .name = "block.conv1"});
    body.residual = true;
    const TensorId outer = graph.add_node({.layer = body, .inputs = {inner, pooled}, .name = "block.conv2"});
    LayerSpec mean;
    mean.kind = LayerKind::global_avg_pool;
    mean.in_channels = mean.out_channels = 16;
    mean.in_height = mean.in_width = 16;
    const TensorId vector = graph.add_node({.layer = mean, .inputs = {outer}, .name = "mean"});
    LayerSpec linear;
    linear.kind = LayerKind::linear;
    linear.in_channels = 16;
    linear.out_channels = 10;
    graph.outputs = {graph.add_node({.layer = linear, .inputs = {vector}, .name = "fc"})};
    return graph;
}

const TensorRtNetwork engine_network{"small",
                                     "hash",
                                     graph_of_engine(),
                                     {{"/conv1/Conv", "/bn1/BatchNormalization", "/relu/Relu"},
                                      {"/pool/MaxPool"},
                                      {"/block/conv1/Conv", "/block/relu/Relu"},
                                      {"/block/conv2/Conv", "/block/Add", "/block/relu_1/Relu"},
                                      {"/mean/GlobalAveragePool"},
                                      {"/fc/Gemm"}}};

std::string timed_layer(const std::string& name, double ms) {
    return fmt::format(
        R"(, {{ "name" : "{}", "timeMs" : {}, "averageMs" : {}, "medianMs" : {}, "percentage" : 1 }})"
        "\n",
        name, 100 * ms, 2 * ms, ms);
}

class TensorRtImportTest : public ::testing::Test {
protected:
    std::filesystem::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    std::filesystem::path profile(const std::string& layers,
                                  const std::string& head = "{ \"count\" : 100 }") {
        return write("profile.json", "[\n  " + head + "\n" + layers + "]\n");
    }
    static std::string usual_profile() {
        return timed_layer("Reformatting CopyNode for Input Tensor 0 to /conv1/Conv + /relu/Relu", 0.004) +
               timed_layer("/conv1/Conv + /relu/Relu", 0.020) + timed_layer("/pool/MaxPool", 0.010) +
               timed_layer("/block/conv1/Conv + /block/relu/Relu", 0.030) +
               timed_layer("/block/conv2/Conv + /block/Add + /block/relu_1/Relu", 0.040) +
               timed_layer("/mean/GlobalAveragePool", 0.005) + timed_layer("/fc/Gemm", 0.006) +
               timed_layer("reshape_after_/fc/Gemm", 0.0);
    }
    TensorRtImport imported(const std::optional<TensorRtNetwork>& of, std::optional<DataType> type = {}) {
        return import_tensorrt(files_, of, settings_, type);
    }
    std::string message(const std::optional<TensorRtNetwork>& of = engine_network) {
        try {
            (void)imported(of);
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing was thrown";
    }
    static double latency_of(const TensorRtImport& result, const std::string& name) {
        for (const Node& node : engine_network.graph.nodes) {
            if (node.name != name) continue;
            for (const Row& row : result.rows) {
                if (row.key.layer == node.layer) return row.latency_us;
            }
        }
        return 0.0;
    }

    TempFolder folder_;
    TensorRtFiles files_;
    ImportSettings settings_{.device = "Orin Nano", .software = "TensorRT 10.3"};
};

TEST(TensorRtNames, AreMadeOfNodes) {
    EXPECT_THAT(parts_of_engine_name("/conv1/Conv + /relu/Relu"), ElementsAre("/conv1/Conv", "/relu/Relu"));
    EXPECT_THAT(parts_of_engine_name("PWN(PWN(/act/Sigmoid), /act/Mul)"),
                ElementsAre("/act/Sigmoid", "/act/Mul"));
    EXPECT_THAT(parts_of_engine_name("Conv_0 + PWN(Clip_3)"), ElementsAre("Conv_0", "Clip_3"));
    EXPECT_THAT(parts_of_engine_name("a || b + c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(parts_of_engine_name("(Unnamed Layer* 7) [Shuffle]"),
                ElementsAre("(Unnamed Layer* 7) [Shuffle]"));
    EXPECT_THAT(parts_of_engine_name("Reformatting CopyNode for Input Tensor 0 to Conv_0"), IsEmpty());
    EXPECT_THAT(parts_of_engine_name("{ForeignNode[/a/MatMul.../b/Add]}"), IsEmpty());
    EXPECT_THAT(parts_of_engine_name(""), IsEmpty());
}

TEST_F(TensorRtImportTest, RowsAreTheNetworksLayers) {
    files_.profile = profile(usual_profile());
    files_.times = write("times.json",
                         R"([{"computeMs":0.110,"latencyMs":0.2},{"computeMs":0.100},{"computeMs":0.105}])");
    const TensorRtImport result = imported(engine_network);
    EXPECT_EQ(result.rows.size(), 6U);
    EXPECT_DOUBLE_EQ(latency_of(result, "conv1"), 20.0) << "the median, where the profile has it";
    EXPECT_DOUBLE_EQ(latency_of(result, "block.conv2"), 40.0);
    EXPECT_DOUBLE_EQ(latency_of(result, "fc"), 6.0);
    EXPECT_NEAR(result.rows_us, 111.0, 1e-9);
    EXPECT_NEAR(result.layers_us, 115.0, 1e-9) << "the copy between layouts, too";
    EXPECT_DOUBLE_EQ(*result.engine_us, 105.0);
    EXPECT_THAT(result.not_found, IsEmpty());
    ASSERT_EQ(result.without_row.size(), 2U);
    EXPECT_EQ(result.without_row.front().reason, "it names no layer of the network");
    EXPECT_TRUE(result.complete());
    EXPECT_EQ(result.device, imported_device("Orin Nano", "TensorRT 10.3"));
    EXPECT_EQ(result.rows.front().samples, 100);
    EXPECT_EQ(result.rows.front().host_network, "small");
}

TEST_F(TensorRtImportTest, MetadataNamesNodesThatTheLayersNameHides) {
    files_.profile = profile(timed_layer("__myl_Conv_1", 0.020) + timed_layer("__myl_Conv_2", 0.030) +
                             timed_layer("__myl_Conv_3", 0.040));
    // Control characters as TensorRT writes them, and escaped.
    files_.layers = write(
        "layers.json",
        "{\"Layers\": [{\"Name\": \"__myl_Conv_1\", \"Metadata\": "
        "\"[ONNX Layer: /conv1/Conv]\x1e[ONNX Layer: /relu/Relu]\"},"
        "{\"Name\": \"__myl_Conv_2\", \"Metadata\": \"[ONNX Layer: /block/conv1/Conv]\\u001f[ONNX Layer: "
        "/block/relu/Relu]\"},"
        "{\"Name\": \"__myl_Conv_3\", \"Metadata\": \"[ONNX Layer: /block/conv2/Conv][ONNX Layer: "
        "/block/Add]\"}], \"Bindings\": [\"x\"]}");
    const TensorRtImport result = imported(engine_network);
    EXPECT_EQ(result.rows.size(), 3U);
    EXPECT_DOUBLE_EQ(latency_of(result, "conv1"), 20.0);
    EXPECT_DOUBLE_EQ(latency_of(result, "block.conv1"), 30.0);
    EXPECT_THAT(result.not_found, ElementsAre("pool", "mean", "fc"));
    EXPECT_FALSE(result.complete());
}

// An engine's layer that runs two of ours, and a layer of ours that two of the engine's run.
TEST_F(TensorRtImportTest, WhatRunsInOnePieceHasNoTimeOfItsOwnAndPartsAreSummed) {
    files_.profile =
        profile(timed_layer("/conv1/Conv + /relu/Relu + /pool/MaxPool", 0.025) +
                timed_layer("/block/conv1/Conv", 0.020) + timed_layer("PWN(/block/relu/Relu)", 0.010) +
                timed_layer("/block/conv2/Conv + /block/Add + /block/relu_1/Relu", 0.040) +
                timed_layer("{ForeignNode[/mean/GlobalAveragePool.../fc/Gemm]}", 0.011));
    const TensorRtImport result = imported(engine_network);
    EXPECT_DOUBLE_EQ(latency_of(result, "block.conv1"), 30.0);
    EXPECT_EQ(result.rows.size(), 2U);
    ASSERT_EQ(result.without_row.size(), 2U);
    EXPECT_EQ(result.without_row[0].reason, "it runs conv1, pool in one piece");
    EXPECT_THAT(result.without_row[1].name, HasSubstr("ForeignNode"));
    EXPECT_THAT(result.not_found, ElementsAre("mean", "fc"));
    EXPECT_FALSE(result.complete());
    EXPECT_NEAR(result.layers_us, 106.0, 1e-9);
    EXPECT_NEAR(result.rows_us, 70.0, 1e-9);
}

std::string engine_conv(const std::string& name, int batch, int in, int out, int size,
                        const std::string& type, bool residual) {
    const auto tensor = [&](int channels) {
        return fmt::format(
            R"({{"Name": "t", "Location": "Device", "Dimensions": [{},{},{},{}], "Format/Datatype": "{}"}})",
            batch, channels, size, size, type);
    };
    return fmt::format(
        R"({{"Name": "{}", "LayerType": "CaskConvolution", "Inputs": [{}{}], "Outputs": [{}],
            "ParameterType": "Convolution", "Kernel": [3,3], "PaddingMode": "kEXPLICIT_ROUND_DOWN", "PrePadding": [1,1],
            "PostPadding": [1,1], "Stride": [1,1], "Dilation": [1,1], "OutMaps": {}, "Groups": 1, "Activation": "RELU",
            "HasBias": 1, "TacticName": "some_kernel", "TacticValue": "0x0"}})",
        name, tensor(in), residual ? ", " + tensor(out) : "", tensor(out), out);
}

TEST_F(TensorRtImportTest, DetailedLayerInfoAloneGivesConvsAndPools) {
    files_.profile = profile(usual_profile());
    files_.layers = write(
        "layers.json",
        fmt::format(
            R"({{"Layers": [{}, {}, {{"Name": "/pool/MaxPool", "ParameterType": "Pooling", "PoolingType": "MAX",
            "WindowSize": [2,2], "PrePadding": [0,0], "PostPadding": [0,0], "Stride": [2,2],
            "Inputs": [{{"Dimensions": [8,16,32,32]}}], "Outputs": [{{"Dimensions": [8,16,16,16]}}]}},
            {{"Name": "/fc/Gemm", "ParameterType": "MatrixMultiply"}}]}})",
            engine_conv("/conv1/Conv + /relu/Relu", 8, 3, 16, 32,
                        "Channel major FP16 format where channel % 8 == 0", false),
            engine_conv("/block/conv2/Conv + /block/Add + /block/relu_1/Relu", 8, 16, 16, 16, "Half", true)));
    const TensorRtImport result = imported(std::nullopt);
    EXPECT_EQ(result.rows.size(), 3U);
    EXPECT_DOUBLE_EQ(latency_of(result, "conv1"), 20.0);
    EXPECT_DOUBLE_EQ(latency_of(result, "block.conv2"), 40.0);
    EXPECT_DOUBLE_EQ(latency_of(result, "pool"), 10.0);
    for (const Row& row : result.rows) {
        EXPECT_EQ(row.key.batch, 8);
        EXPECT_EQ(row.key.type, DataType::f16);
    }
    EXPECT_EQ(result.without_row.size(), 5U);
}

TEST_F(TensorRtImportTest, AnEngineIsOfOneDataType) {
    const auto layers = [&](const std::string& first, const std::string& second) {
        files_.layers = write(
            "layers.json",
            fmt::format(R"({{"Layers": [{}, {}]}})",
                        engine_conv("/conv1/Conv + /relu/Relu", 1, 3, 16, 32, first, false),
                        engine_conv("/block/conv1/Conv + /block/relu/Relu", 1, 16, 16, 16, second, false)));
    };
    files_.profile = profile(usual_profile());
    layers("Row major linear FP32", "Half");
    const TensorRtImport mixed = imported(engine_network);
    EXPECT_EQ(mixed.rows.front().key.type, DataType::f16) << "most of the time";
    EXPECT_THAT(mixed.notes, ElementsAre(HasSubstr("1 layers computed in another data type than f16")));
    EXPECT_EQ(imported(engine_network, DataType::f32).rows.front().key.type, DataType::f32);
    layers("Thirty-two wide channel vectorized row major Int8 format", "BFloat16");
    const TensorRtImport partly = imported(engine_network);
    EXPECT_EQ(partly.rows.front().key.type, DataType::bf16);
    EXPECT_THAT(partly.not_found, ElementsAre("conv1"));
    layers("Int8", "Int8");
    EXPECT_THAT(message(), HasSubstr("int8, a data type that tables do not have"));
}

// An engine for batches of any size has 0 there.
TEST_F(TensorRtImportTest, ABatchOf0IsNotKnown) {
    settings_.batch = 4;
    files_.profile = profile(usual_profile());
    files_.layers =
        write("layers.json",
              "{\"Layers\": [" + engine_conv("/conv1/Conv + /relu/Relu", 0, 3, 16, 32, "Half", false) + "]}");
    EXPECT_EQ(imported(engine_network).rows.front().key.batch, 4);
}

TEST_F(TensorRtImportTest, RefusesFilesThatDoNotFitTogether) {
    files_.profile = profile(usual_profile());
    files_.layers = write("layers.json", R"({"Layers": ["of another engine"]})");
    EXPECT_THAT(message(), HasSubstr("has none of the profile's layers"));
    files_.layers =
        write("layers.json",
              "{\"Layers\": [" + engine_conv("/conv1/Conv + /relu/Relu", 1, 3, 24, 32, "Half", false) + "]}");
    EXPECT_THAT(message(),
                HasSubstr("has 3 input and 24 output channels, and conv1 of the network has 3 and 16"));
    files_.layers.clear();
    EXPECT_THAT(message(std::nullopt), HasSubstr("--profilingVerbosity=detailed"));
    files_.profile = profile(timed_layer("something else", 1.0));
    EXPECT_THAT(message(), HasSubstr("no layer of the engine names a node of small"));
}

TEST_F(TensorRtImportTest, RefusesWhatTrtexecDoesNotWrite) {
    struct Case {
        std::string profile;
        std::string message;
    };
    for (const Case& bad : std::vector<Case>{
             {"", "is no JSON"},
             {"[", "is no JSON"},
             {"{}", "an array of layers"},
             {"[]", "at least one layer"},
             {"[{\"count\": 1}]", "at least one layer"},
             {"[{\"count\": 0}]", "a number of passes"},
             {"[{\"count\": 1.5}]", "a number of passes"},
             {"[3]", "[0]: expected an object"},
             {"[{\"averageMs\": 1}]", "a layer's 'name'"},
             {"[{\"name\": 3, \"averageMs\": 1}]", "a layer's 'name'"},
             {"[{\"name\": \"a\\u0000\", \"averageMs\": 1}]", "a zero byte"},
             {"[{\"name\": \"a\"}]", "milliseconds under 'averageMs'"},
             {"[{\"name\": \"a\", \"averageMs\": \"1\"}]", "milliseconds under 'averageMs'"},
             {"[{\"name\": \"a\", \"averageMs\": -1}]", "milliseconds, 0 or more"},
             {"[{\"name\": \"a\", \"averageMs\": 1e30}]", "milliseconds, 0 or more"},
             {"[{\"name\": \"a\", \"averageMs\": nan}]", "is no JSON"},
         }) {
        files_ = {write("profile.json", bad.profile), {}, {}};
        EXPECT_THAT(message(), HasSubstr(bad.message)) << bad.profile;
    }
    files_.profile = profile(usual_profile());
    for (const char* text : {"[]", "{}", "{\"Layers\": 3}", "{\"Layers\": [3]}",
                             "{\"Layers\": [{\"Nam\": \"a\"}]}", "{\"Layers\": ["}) {
        files_.layers = write("layers.json", text);
        EXPECT_THAT(message(), HasSubstr("layers.json")) << text;
    }
    files_.layers.clear();
    for (const char* text :
         {"[]", "{}", "[1]", "[{}]", "[{\"computeMs\": -1}]", "[{\"computeMs\": \"1\"}]"}) {
        files_.times = write("times.json", text);
        EXPECT_THAT(message(), HasSubstr("times.json")) << text;
    }
    files_.times = folder_ / "none.json";
    EXPECT_THAT(message(), HasSubstr("does not exist"));
}

// Strange sizes in layer info are no layers, and no crash.
TEST_F(TensorRtImportTest, LayerInfoOfAnyShapeIsTakenOrPassedOver) {
    files_.profile = profile(timed_layer("a", 1.0) + timed_layer("/conv1/Conv", 1.0));
    for (const char* dimensions :
         {"[]", "[1,3]", "[1,3,32]", "[1,3,32,-1]", "[1,3,32,9999999999]", "[1,3,32,\"32\"]", "3", "null"}) {
        files_.layers =
            write("layers.json", fmt::format(R"({{"Layers": [{{"Name": "a", "ParameterType": "Convolution",
            "Kernel": [3,3], "PrePadding": [1,1], "PostPadding": [1,1], "Stride": [1,1], "Dilation": [1,1], "Groups": 1,
            "Inputs": [{{"Dimensions": {0}}}], "Outputs": [{{"Dimensions": {0}}}, 3]}}]}})",
                                             dimensions));
        EXPECT_EQ(imported(engine_network).rows.size(), 1U) << dimensions;
        EXPECT_THAT(message(std::nullopt), HasSubstr("no conv and no pool")) << dimensions;
    }
}

}  // namespace
}  // namespace hacscale
