#include "models/weights/state_dict.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include "base/error.hpp"
#include "models/formats/safetensors.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/operator.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Stored {
    std::string type;
    std::vector<std::int64_t> shape;
    std::string bytes;
};

template <typename Number>
std::string bytes_of(const std::vector<Number>& values) {
    std::string bytes(values.size() * sizeof(Number), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

Stored f32(std::vector<std::int64_t> shape, const std::vector<float>& values) {
    return {"F32", std::move(shape), bytes_of(values)};
}

class StateDictTest : public ::testing::Test {
protected:
    void write(const std::map<std::string, Stored>& tensors, const std::string& metadata = "") {
        std::string header = "{" + metadata;
        std::string data;
        for (const auto& [name, tensor] : tensors) {
            header += header.size() > 1 ? "," : "";
            header += "\"" + name + "\": {\"dtype\": \"" + tensor.type + "\", \"shape\": [";
            for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
                header += (i > 0 ? "," : "") + std::to_string(tensor.shape[i]);
            }
            header += "], \"data_offsets\": [" + std::to_string(data.size()) + "," +
                      std::to_string(data.size() + tensor.bytes.size()) + "]}";
            data += tensor.bytes;
        }
        header += "}";
        const std::uint64_t length = header.size();
        write_bytes(std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data);
    }
    void write_bytes(const std::string& bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

    template <typename Work>
    static std::string message_of(Work work) {
        try {
            work();
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    }

    testing::TempFolder folder_;
    std::filesystem::path file_ = folder_ / "state_dict.safetensors";
};

TEST_F(StateDictTest, NumbersOfAnyFloatingTypeAreRead) {
    write({{"a", f32({2, 1}, {1.5F, -2.0F})},
           {"b", {"BF16", {2}, bytes_of(std::vector<std::uint16_t>{0x3fc0, 0xc000})}},
           {"c", {"F16", {4}, bytes_of(std::vector<std::uint16_t>{0x3e00, 0xc000, 0x0001, 0x8000})}},
           {"d", {"F64", {1}, bytes_of(std::vector<double>{0.25})}},
           {"e", {"I64", {1}, bytes_of(std::vector<std::int64_t>{1})}}},
          R"("__metadata__": {"format": "pt"})");
    SafetensorsFile file(file_);
    EXPECT_EQ(file.entries().size(), 5u);
    EXPECT_THAT(file.read("a", {2, 1}), ElementsAre(1.5F, -2.0F));
    EXPECT_THAT(file.read("b", {2}), ElementsAre(1.5F, -2.0F));
    EXPECT_THAT(file.read("c", {4}), ElementsAre(1.5F, -2.0F, std::ldexp(1.0F, -24), -0.0F));
    EXPECT_THAT(file.read("d", {1}), ElementsAre(0.25F));
    EXPECT_THAT(message_of([&] { file.read("e", {1}); }), HasSubstr("e: expected the data type"));
    EXPECT_THAT(message_of([&] { file.read("a", {2}); }),
                HasSubstr("a: expected the shape [2], found [2, 1]"));
    EXPECT_THAT(message_of([&] { file.read("f", {2}); }), HasSubstr("expected the tensor f"));
}

TEST_F(StateDictTest, FilesThatAreCutShortOrAreNoneAreRefused) {
    write({{"a", f32({2}, {1.0F, 2.0F})}});
    std::ifstream stream(file_, std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(stream)), {});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_bytes(whole.substr(0, size));
        EXPECT_NE(message_of([&] { SafetensorsFile file(file_); }), "accepted") << size;
    }
    const auto refused = [&](const std::string& header, const std::string& why) {
        const std::uint64_t length = header.size();
        write_bytes(std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header +
                    "12345678");
        EXPECT_THAT(message_of([&] { SafetensorsFile(file_).read("a", {2}); }), HasSubstr(why)) << header;
    };
    refused("[]", "JSON object");
    refused(R"({"a": 1})", "dtype");
    refused(R"({"a": {"dtype": "F32"}})", "shape");
    refused(R"({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}})", "shape");
    refused(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9]}})", "data_offsets");
    refused(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}})", "data_offsets");
    refused(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}})", "8 bytes, found 4");
    write({{"a", f32({1}, {std::numeric_limits<float>::infinity()})}});
    EXPECT_THAT(message_of([&] { SafetensorsFile(file_).read("a", {1}); }), HasSubstr("a: expected numbers"));
}

// The tensors of a network, each as its layer has it.
std::map<std::string, Stored> tensors_of(const Graph& graph, const std::vector<LayerWeights>& weights) {
    std::map<std::string, Stored> tensors;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        for (const WeightPart& part : operator_of(graph.nodes[n].layer.kind).weights(graph.nodes[n].layer)) {
            tensors[graph.nodes[n].name + "." + std::string(part.name)] =
                f32(part.shape, weights[n].*part.values);
        }
    }
    return tensors;
}

TEST_F(StateDictTest, TensorsAreFoundByTheirLayers) {
    for (const char* const name : {"resnet8-cifar", "mobilenetv3-small-0.75", "wrn-16-4-cifar"}) {
        const Graph graph = lower(find_model(name));
        const std::vector<LayerWeights> weights = random_weights(graph, 2);
        write(tensors_of(graph, weights));
        const std::vector<LayerWeights> read = read_state_dict(file_, graph);
        ASSERT_EQ(read.size(), weights.size());
        for (std::size_t n = 0; n < read.size(); ++n) {
            EXPECT_EQ(read[n].weights, weights[n].weights) << graph.nodes[n].name;
            EXPECT_EQ(read[n].bias, weights[n].bias) << graph.nodes[n].name;
            EXPECT_EQ(read[n].weights2, weights[n].weights2) << graph.nodes[n].name;
        }
    }
}

TEST_F(StateDictTest, BatchNormsAreFolded) {
    for (const std::string norm : {"conv1_bn", "bn1", "norm1"}) {
        Graph graph;
        Node node;
        node.name = "conv1";
        node.batch_norm_epsilon = 0.5;
        node.layer.in_channels = 1;
        node.layer.out_channels = 2;
        node.inputs = {graph.add_input(1, 1, 1)};
        graph.outputs = {graph.add_node(node)};
        std::map<std::string, Stored> tensors{
            {"conv1.weight", f32({2, 1, 1, 1}, {2.0F, 3.0F})},
            {norm + ".weight", f32({2}, {1.0F, 4.0F})},
            {norm + ".bias", f32({2}, {0.5F, 1.0F})},
            {norm + ".running_mean", f32({2}, {1.0F, 0.25F})},
            {norm + ".running_var", f32({2}, {3.5F, 15.5F})},
            {norm + ".num_batches_tracked", {"I64", {}, std::string(8, '\0')}}};
        write(tensors);
        const std::vector<LayerWeights> read = read_state_dict(file_, graph);
        EXPECT_THAT(read[0].weights, ElementsAre(1.0F, 3.0F)) << norm;
        EXPECT_THAT(read[0].bias, ElementsAre(0.0F, 0.75F)) << norm;
        // A bias in front of it is scaled as well.
        tensors["conv1.bias"] = f32({2}, {2.0F, 1.0F});
        write(tensors);
        EXPECT_THAT(read_state_dict(file_, graph)[0].bias, ElementsAre(1.0F, 1.75F)) << norm;
        tensors[norm + ".running_var"] = f32({2}, {-1.0F, 1.0F});
        write(tensors);
        EXPECT_THAT(message_of([&] { read_state_dict(file_, graph); }), HasSubstr("running_var"));
    }
}

TEST_F(StateDictTest, WeightsOfAnotherNetworkAreRefused) {
    const Graph graph = lower(find_model("resnet8-cifar"));
    std::map<std::string, Stored> tensors = tensors_of(graph, random_weights(graph, 2));
    tensors["head.fc2.weight"] = f32({1}, {1.0F});
    write(tensors);
    EXPECT_THAT(message_of([&] { read_state_dict(file_, graph); }),
                HasSubstr("1 tensors belong to no layer, the first is head.fc2"));
    tensors.erase("head.fc2.weight");
    const Stored stem = tensors.at("stem.conv1.weight");
    tensors.erase("stem.conv1.weight");
    write(tensors);
    EXPECT_THAT(message_of([&] { read_state_dict(file_, graph); }),
                HasSubstr("expected the tensor stem.conv1.weight"));
    tensors["stem.conv1.weight"] = {"F32", {3, 16, 3, 3}, stem.bytes};
    write(tensors);
    EXPECT_THAT(message_of([&] { read_state_dict(file_, graph); }),
                HasSubstr("stem.conv1.weight: expected the shape [16, 3, 3, 3], found [3, 16, 3, 3]"));
}

}  // namespace
}  // namespace hacscale
