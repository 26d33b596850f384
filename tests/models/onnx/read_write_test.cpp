#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <protozero/pbf_writer.hpp>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "tests/models/onnx/small_models.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string unsupported_reason(const std::string& bytes) {
    try {
        read_bytes(bytes, "net.onnx");
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

std::string unsupported_reason_of(const Model& model) {
    return unsupported_reason(to_bytes(model));
}

void write_text(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

TEST(OnnxReadWrite, WhatIsWrittenIsReadAgain) {
    Model model = conv_model();
    model.opsets["ai.onnx.ml"] = 3;
    model.graph.value_info = {value_info("c", DataType::float32, {1, 4, 4, 4}),
                              {"d", DataType::int64, {}},
                              {"e", DataType::float16, {{{{}, "batch"}, {3, {}}, {{}, ""}}}},
                              {"f", DataType::undefined, {}},
                              value_info("number", DataType::float32, {})};
    model.graph.nodes.push_back(node("Test", {"y", "", "w"}, {"z", ""},
                                     {{"i", std::int64_t{-5}},
                                      {"f", 0.5F},
                                      {"s", std::string("text")},
                                      {"is", Ints{1, -2}},
                                      {"fs", Floats{1, 2}},
                                      {"ss", std::vector<std::string>{"a", "b"}},
                                      {"none", Ints{}},
                                      {"t", tensor_of("", {2}, Ints{-1, 1})}}));
    const Model read = read_bytes(to_bytes(model), "net.onnx");
    EXPECT_EQ(read.graph.nodes, model.graph.nodes);
    EXPECT_EQ(read.graph.initializers, model.graph.initializers);
    EXPECT_EQ(read.graph.value_info, model.graph.value_info);
    EXPECT_TRUE(read == model);
}

TEST(OnnxReadWrite, TensorsOfEveryTypeKeepTheirNumbers) {
    const Tensor floats = tensor_of("t", {2, 3}, Floats{0, 1, 2, 100, 3, 1});
    for (const DataType type : {DataType::float32, DataType::float16, DataType::bfloat16, DataType::float64,
                                DataType::uint8, DataType::int8, DataType::uint16, DataType::int16,
                                DataType::int32, DataType::int64, DataType::uint32, DataType::uint64}) {
        Model model = conv_model();
        model.graph.initializers.push_back(tensor_as(floats, type));
        const Tensor read = read_bytes(to_bytes(model), "").graph.initializers.back();
        EXPECT_EQ(read.floats(), floats.floats()) << name_of(type);
        EXPECT_EQ(read.data.size(), 6 * bytes_of(type));
        if (!is_floating(type)) {
            EXPECT_EQ(read.integers(), (Ints{0, 1, 2, 100, 3, 1}));
        }
    }
    EXPECT_EQ(tensor_as(floats, DataType::boolean).integers(), (Ints{0, 1, 1, 1, 1, 1}));
    EXPECT_THROW(floats.integers(), InputError);
}

TEST(OnnxReadWrite, HalvesRoundToTheNearest) {
    // 2049 is between the halves 2048 and 2050; ties go to even. 65520 and more is infinite; 2^-25 is half of the smallest.
    const Floats values = {2049, 2051, 65519, 65520, 0x1p-24F, 0x1p-25F, 0x1.8p-25F, -0x1.004p-14F};
    const Floats expected = {2048,     2052, 65504,    std::numeric_limits<float>::infinity(),
                             0x1p-24F, 0,    0x1p-24F, -0x1.004p-14F};
    EXPECT_EQ(tensor_as(tensor_of("", {8}, values), DataType::float16).floats(), expected);
    EXPECT_EQ(tensor_as(tensor_of("", {2}, Floats{257, 259}), DataType::bfloat16).floats(),
              (Floats{256, 260}));
}

// The lists that exporters other than PyTorch's use for small tensors, packed and one by one.
TEST(OnnxReadWrite, TypedListsAreRead) {
    const auto model_with = [](const std::string& tensor) {
        std::string whole;
        protozero::pbf_writer out(whole);
        out.add_int64(1, 8);
        {
            protozero::pbf_writer opset(out, 8);
            opset.add_int64(2, 17);
        }
        protozero::pbf_writer g(out, 7);
        g.add_message(5, tensor);
        {
            protozero::pbf_writer output(g, 12);
            output.add_string(1, "t");
        }
        return whole;
    };
    std::string tensor;
    protozero::pbf_writer out(tensor);
    out.add_int64(1, 3);
    out.add_int32(2, static_cast<std::int32_t>(DataType::int8));
    out.add_string(8, "t");
    const std::vector<std::int32_t> numbers = {-1, 2};
    out.add_packed_int32(5, numbers.begin(), numbers.end());
    out.add_int32(5, -128);
    EXPECT_EQ(read_bytes(model_with(tensor), "").graph.initializers.front().integers(), (Ints{-1, 2, -128}));
    tensor.clear();
    out.add_int64(1, 2);
    out.add_int32(2, static_cast<std::int32_t>(DataType::float32));
    out.add_string(8, "t");
    out.add_float(4, 1.5F);
    out.add_float(4, -2.0F);
    EXPECT_EQ(read_bytes(model_with(tensor), "").graph.initializers.front().floats(), (Floats{1.5F, -2.0F}));
    out.add_int64(7, 1);
    EXPECT_THAT(unsupported_reason(model_with(tensor)), HasSubstr("tensor \"t\""));
}

TEST(OnnxReadWrite, EveryCutOfAFileIsRefused) {
    const std::string bytes = to_bytes(conv_model());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        // The opset is the last field: without it the rest is whole.
        EXPECT_THAT(unsupported_reason(bytes.substr(0, size)), HasSubstr("net.onnx: ")) << size;
    }
}

TEST(OnnxReadWrite, ForeignFilesAreToldByWhatTheyAre) {
    EXPECT_THAT(unsupported_reason(""), HasSubstr("the file is empty"));
    EXPECT_THAT(unsupported_reason("name: resnet\nstages: []\n"), HasSubstr("a text file"));
    EXPECT_THAT(unsupported_reason(std::string("\x7f"
                                               "ELF\x02\x01\x01\0\0\0\0\0",
                                               12)),
                HasSubstr("no ONNX model"));
    EXPECT_THAT(unsupported_reason(std::string("PK\x03\x04\0\0\0\0", 8)), HasSubstr("no ONNX model"));
    EXPECT_THAT(unsupported_reason(std::string("\x08\x08", 2)), HasSubstr("it has no graph"));
    const hacscale::testing::TempFolder folder;
    EXPECT_THROW(read_file(folder.path()), InputError);
    EXPECT_THROW(read_file(folder.path() / "absent.onnx"), InputError);
}

TEST(OnnxReadWrite, AFileOfThreeGigabytesIsRefusedAtOnce) {
    const hacscale::testing::TempFolder folder;
    write_text(folder.path() / "large.onnx", "x");
    std::filesystem::resize_file(folder.path() / "large.onnx", 3'000'000'000);  // a hole: it takes no space
    try {
        read_file(folder.path() / "large.onnx");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("large.onnx: "), HasSubstr("3000000000 bytes"),
                                        HasSubstr("external data")));
    }
}

TEST(OnnxReadWrite, TensorsFitTheirShapes) {
    Model model = conv_model();
    model.graph.initializers[0].dims = {4, 3, 3, 4};
    EXPECT_THAT(unsupported_reason_of(model),
                AllOf(HasSubstr("tensor \"w\""), HasSubstr("432 bytes"), HasSubstr("4x3x3x4")));
    for (const Ints& dims :
         {Ints{1LL << 60, 1LL << 60, 3}, Ints{1LL << 62, 4}, Ints{0, 1LL << 60}, Ints{-1, 4}, Ints(40, 1)}) {
        model.graph.initializers[0].dims = dims;
        EXPECT_THAT(unsupported_reason_of(model), HasSubstr("tensor \"w\"")) << dims[0];
    }
}

TEST(OnnxReadWrite, ValuesHaveOneOrigin) {
    Model model = conv_model();
    model.graph.initializers.push_back(weights("b", {4}));
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("\"b\" is there already"));
    model = conv_model();
    model.graph.nodes[0].outputs = {"y"};
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("\"y\" is there already"));
    model = conv_model();
    model.graph.initializers.pop_back();
    EXPECT_THAT(unsupported_reason_of(model),
                AllOf(HasSubstr("node \"/c\" (Conv) reads \"b\""), HasSubstr("written by no node")));
    model = conv_model();
    model.graph.outputs[0].name = "other";
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("the output \"other\" is written by no node"));
    model = conv_model();
    model.graph.outputs.clear();
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("no outputs"));
}

TEST(OnnxReadWrite, InitializersAreNoInputs) {
    Model model = conv_model();
    model.graph.inputs.push_back(value_info("w", DataType::float32, {4, 3, 3, 3}));
    EXPECT_EQ(read_bytes(to_bytes(model), ""), conv_model());
}

TEST(OnnxReadWrite, NodesAreBroughtIntoOrderAndCirclesRefused) {
    Model model = conv_model();
    std::swap(model.graph.nodes[0], model.graph.nodes[1]);
    EXPECT_EQ(read_bytes(to_bytes(model), ""), conv_model());
    model.graph.nodes[1].inputs[0] = "y";
    EXPECT_THAT(unsupported_reason_of(model),
                AllOf(HasSubstr("circle"), HasSubstr("node \"/c\" (Conv)"), HasSubstr("node \"/y\" (Relu)")));
    model = conv_model();
    model.graph.nodes[1].inputs[0] = "y";
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("in a circle: node \"/y\" (Relu)"));
}

TEST(OnnxReadWrite, OpsetsDomainsControlFlowAndQuantization) {
    for (const std::int64_t opset : {0, 8, 22, -1}) {
        Model model = conv_model();
        model.opsets[""] = opset;
        EXPECT_THAT(unsupported_reason_of(model), HasSubstr("expected 9 to 21"));
    }
    Model model = conv_model();
    model.opsets.clear();
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("opset"));
    model = conv_model();
    model.graph.nodes[1].domain = "com.microsoft";
    EXPECT_THAT(unsupported_reason_of(model),
                AllOf(HasSubstr("node \"/y\" (Relu)"), HasSubstr("\"com.microsoft\"")));
    model.graph.nodes[1].domain = "ai.onnx";
    EXPECT_EQ(read_bytes(to_bytes(model), ""), conv_model());
    for (const char* op_type : {"If", "Loop", "Scan"}) {
        model = conv_model();
        model.graph.nodes[1].op_type = op_type;
        model.graph.nodes[1].attributes["body"] = Subgraph{Bytes("anything")};
        EXPECT_THAT(unsupported_reason_of(model), HasSubstr("control flow"));
    }
    model = conv_model();
    model.graph.nodes[1].op_type = "QuantizeLinear";
    EXPECT_THAT(unsupported_reason_of(model), HasSubstr("quantized"));
}

TEST(OnnxReadWrite, AttributesHaveTheTypesThatTheySay) {
    std::string bytes =
        to_bytes(model_of({1}, {node("Relu", {"x"}, {"y"}, {{"alpha", std::string("text")}})}));
    // type, field 20, STRING: 3 becomes INT.
    const std::string type("\xa0\x01\x03", 3);
    bytes[bytes.find(type) + 2] = 2;
    EXPECT_THAT(unsupported_reason(bytes),
                AllOf(HasSubstr("node \"/y\" (Relu)"), HasSubstr("\"alpha\""), HasSubstr("another type")));
    const Model model = model_of({1}, {node("Conv", {"x"}, {"y"}, {{"group", std::string("two")}})});
    try {
        (void)model.graph.nodes[0].integer("group");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "node \"/y\" (Conv): the attribute \"group\" is not an integer");
    }
}

// A model file whose weights "w" are in another file, and what is said of it.
class OnnxExternalData : public ::testing::Test {
protected:
    std::string refusal_with(const std::string& location, const std::string& offset = "4",
                             const std::string& length = "8") {
        std::string bytes;
        protozero::pbf_writer out(bytes);
        out.add_int64(1, 8);
        {
            protozero::pbf_writer opset(out, 8);
            opset.add_int64(2, 17);
        }
        {
            protozero::pbf_writer graph(out, 7);
            {
                protozero::pbf_writer tensor(graph, 5);
                tensor.add_int64(1, 2);
                tensor.add_int32(2, 1);
                tensor.add_string(8, "w");
                for (const auto& [key, value] :
                     {std::pair{"location", location}, {"offset", offset}, {"length", length}}) {
                    protozero::pbf_writer entry(tensor, 13);
                    entry.add_string(1, key);
                    entry.add_string(2, value);
                }
                tensor.add_int32(14, 1);
            }
            protozero::pbf_writer output(graph, 12);
            output.add_string(1, "w");
        }
        std::filesystem::create_directories(model_folder() / "data");
        write_text(model_folder() / "net.onnx", bytes);
        try {
            read = read_file(model_folder() / "net.onnx");
            return "accepted";
        } catch (const InputError& error) {
            return error.what();
        }
    }
    std::filesystem::path model_folder() const { return folder.path() / "model"; }
    // The floats 0, 1, 2.
    static std::string three_floats() { return std::string(tensor_of("", {3}, Floats{0, 1, 2}).data.view()); }

    hacscale::testing::TempFolder folder;
    Model read;
};

TEST_F(OnnxExternalData, IsReadFromTheFolderOfTheModel) {
    std::filesystem::create_directories(model_folder() / "data");
    write_text(model_folder() / "data" / "w.bin", three_floats());
    EXPECT_EQ(refusal_with("data/w.bin"), "accepted");
    EXPECT_EQ(read.graph.initializers[0].floats(), (Floats{1, 2}));
    EXPECT_THAT(refusal_with("data/w.bin", "8"),
                AllOf(HasSubstr("tensor \"w\""), HasSubstr("bytes 8 to 16"), HasSubstr("has 12")));
    EXPECT_THAT(refusal_with("data/w.bin", "18446744073709551615"), HasSubstr("tensor \"w\""));
    EXPECT_THAT(refusal_with("data/w.bin", "-4"), HasSubstr("expected a whole number"));
    EXPECT_THAT(refusal_with("data/w.bin", "4", "12"), HasSubstr("12 bytes"));
    EXPECT_THAT(refusal_with("data/absent.bin"), HasSubstr("cannot be found"));
    EXPECT_THAT(refusal_with("data"), HasSubstr("no regular file"));
}

TEST_F(OnnxExternalData, OutsideOfTheFolderIsRefused) {
    std::filesystem::create_directories(model_folder() / "data");
    write_text(folder.path() / "secret.bin", three_floats());
    for (const std::string& location :
         std::vector<std::string>{"../secret.bin", "data/../../secret.bin", "data/../data/../../secret.bin",
                                  "/etc/passwd", "", (folder.path() / "secret.bin").string()}) {
        EXPECT_THAT(refusal_with(location), HasSubstr("expected a file in the folder")) << location;
    }
    std::filesystem::create_symlink(folder.path() / "secret.bin", model_folder() / "link.bin");
    EXPECT_THAT(refusal_with("link.bin"), HasSubstr("symbolic link"));
    std::filesystem::create_directory_symlink(folder.path(), model_folder() / "folder");
    EXPECT_THAT(refusal_with("folder/secret.bin"), HasSubstr("symbolic link"));
}

TEST(OnnxReadWrite, NamesInMessagesAreShortAndPrintable) {
    Model model = conv_model();
    model.graph.nodes[1].name = std::string(100000, 'n') + "\x1b[31m";
    model.graph.nodes[1].inputs[0] = "\x1b[31m\n";
    const std::string message = unsupported_reason_of(model);
    EXPECT_LT(message.size(), 300U);
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(OnnxReadWrite, AHundredThousandNodesAreRead) {
    std::vector<Node> nodes = {node("Relu", {"x"}, {"0"})};
    for (int i = 1; i < 100000; ++i) {
        nodes.push_back(node("Relu", {std::to_string(i - 1)}, {std::to_string(i)}));
    }
    nodes.push_back(node("Relu", {"99999"}, {"y"}));
    std::reverse(nodes.begin(), nodes.end());
    const Model read = read_bytes(to_bytes(model_of({1}, std::move(nodes))), "");
    EXPECT_EQ(read.graph.nodes.front().outputs.front(), "0");
    EXPECT_EQ(read.graph.nodes.back().outputs.front(), "y");
}

}  // namespace
}  // namespace hacscale::onnx
