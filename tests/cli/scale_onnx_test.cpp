// Networks from ONNX files, scaled: what is chosen, what stays as it is, and the files that come out.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "made_up_device.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "records/json.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class ScaleOnnx : public MadeUpDeviceTest {
protected:
    ScaleOnnx() {
        EXPECT_EQ(call({"models", "export", "resnet8-cifar", "--out", net()}).status, 0);
        const Answer profiled =
            call({"profile", net(), "--table", table(), "--widths", "0.25..1.5", "--minutes", "1"});
        EXPECT_THAT(profiled.status, ::testing::AnyOf(0, 4)) << profiled.err;
    }

    std::string net() const { return path("net.onnx"); }
    std::string table() const { return path("t.db"); }
    Answer scale(const std::string& budget, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"scale", net(), "--table", table(), "--budget", budget};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    }
    // The convs' output channels, by name.
    static int width_of(const Network& network, const std::string& name) {
        for (const Node& node : network.graph.nodes) {
            if (node.name == name) return node.layer.out_channels;
        }
        ADD_FAILURE() << name << " is gone";
        return 0;
    }
};

TEST_F(ScaleOnnx, ASmallerNetworkComesOutWithWeights) {
    const Answer answer =
        scale("0.9", {"--out", path("small.onnx"), "--channels", path("small.json"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto row = answer.json()["strategies"][0];
    EXPECT_LE(row["predicted_us"].get<double>(),
              0.9 * answer.json()["base"]["predicted_us"].get<double>() * 1.0001);
    EXPECT_LT(row["gain"].get<double>(), 0.0);
    EXPECT_EQ(row["widths"].size(), answer.json()["width_names"].size());

    const Network base = import_onnx(net());
    const Network small = import_onnx(path("small.onnx"));
    EXPECT_EQ(small.graph.params(), row["params"].get<std::int64_t>());
    EXPECT_LT(small.graph.params(), base.graph.params());
    EXPECT_EQ(small.graph.tensors[small.graph.outputs.front()].channels, 10);
    EXPECT_EQ(small.weights.size(), small.graph.nodes.size());
    const records::Json channels = records::Json::parse(std::ifstream(path("small.json")));
    EXPECT_TRUE(channels.contains("tensors"));
    EXPECT_TRUE(channels.contains("modules"));
}

TEST_F(ScaleOnnx, ALargerNetworkComputesWhatItsBaseDoes) {
    const Answer answer = scale("1.3", {"--out", path("large.onnx")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("outputs are the base's"));
    EXPECT_GT(import_onnx(path("large.onnx")).graph.params(), import_onnx(net()).graph.params());
}

TEST_F(ScaleOnnx, StrategiesAreComparedByWhatTheyLose) {
    const Answer answer =
        call({"compare", net(), "--table", table(), "--budget", "0.9", "--no-verify", "--json"});
    ASSERT_THAT(answer.status, ::testing::AnyOf(0, 4)) << answer.err;
    const auto json = answer.json();
    double best = -1e9;
    for (const auto& row : json["strategies"]) {
        if (row["status"] == "unverified" && row["strategy"] != "hacscale")
            best = std::max(best, row["gain"].get<double>());
    }
    const auto last = json["strategies"].back();
    EXPECT_EQ(last["strategy"], "hacscale");
    // Plans of graphs are bounded by 0.1 % of the latency.
    EXPECT_GE(last["gain"].get<double>(), best - 0.01);
}

TEST_F(ScaleOnnx, LayersCanBeFrozenAndLimited) {
    const Network base = import_onnx(net());
    const std::string first = base.graph.nodes.front().name;
    const std::string inner = "stage2.block1.conv1";  // no add ties it
    const Answer answer =
        scale("0.92", {"--freeze", first, "--group", inner + ":24..32", "--out", path("small.onnx")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const Network small = import_onnx(path("small.onnx"));
    EXPECT_EQ(width_of(small, first), width_of(base, first));
    EXPECT_GE(width_of(small, inner), 24);
}

TEST_F(ScaleOnnx, WhatCannotBeIsSaid) {
    EXPECT_THAT(scale("0.7", {"--out", path("small.yaml")}).err, HasSubstr(".onnx"));
    EXPECT_THAT(scale("0.7", {"--freeze", "layer9.conv"}).err, HasSubstr("no layer 'layer9.conv'"));
    EXPECT_THAT(scale("0.7", {"--group", "conv"}).err, HasSubstr("NAME:MIN..MAX"));
    EXPECT_THAT(scale("0.7", {"--gain", "gain.yaml"}).err, HasSubstr("has no stages"));
    EXPECT_EQ(scale("0.05").status, 2);
    EXPECT_THAT(call({"compare", net(), "--table", table(), "--no-verify", "--train", path("plan.yaml")}).err,
                HasSubstr("models with stages"));
    EXPECT_THAT(call({"scale", "resnet8-cifar", "--table", table(), "--freeze", "x"}).err,
                HasSubstr("ONNX files"));
    EXPECT_THAT(call({"scale", "resnet8-cifar", "--table", table(), "--out", path("small.onnx")}).err,
                HasSubstr("models export"));
    EXPECT_THAT(call({"scale", "resnet8-cifar", "--table", table(), "--input", "x=3x8x8"}).err,
                HasSubstr("ONNX files"));
    const Answer scores = scale("0.7", {"--out", path("small.onnx"), "--scores", path("none.json")});
    EXPECT_EQ(scores.status, 2);
    EXPECT_THAT(scores.err, HasSubstr("none.json"));
}

TEST_F(ScaleOnnx, ItsGainIsBalancedUnlessCapacityIsNamed) {
    const auto balanced = scale("1.2", {"--json"}).json();
    const auto capacity = scale("1.2", {"--gain", "capacity", "--json"}).json();
    EXPECT_EQ(balanced["gain_origin"], "balanced");
    EXPECT_EQ(capacity["gain_origin"], "capacity");
    // A logarithm promises more for the same widths.
    EXPECT_GT(capacity["strategies"][0]["gain"], balanced["strategies"][0]["gain"]);
}

TEST_F(ScaleOnnx, StepsOfItsGroupsAreExplained) {
    const std::vector<std::string> words{"explain", net(), "--table", table(), "--budget", "0.8"};
    const Answer answer = call(words);
    ASSERT_THAT(answer.status, ::testing::AnyOf(0, 4)) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("steps down from the base, least loss per latency first: "));
    std::vector<std::string> as_json = words;
    as_json.insert(as_json.end(), {"--json", "--freeze", "stage2.block1.conv1"});
    const auto json = call(as_json).json();
    EXPECT_EQ(json["gain_origin"], "balanced");
    EXPECT_EQ(json["width_names"].size(), json["contributions"][0]["widths"].size());
    int widths = 0;
    for (const auto& step : json["contributions"][0]["steps"]) {
        EXPECT_NE(step["name"], "stage2.block1.conv1") << "it is frozen";
        widths += step["dimension"] == "width" && step["latency_us"] < 0.0 ? 1 : 0;
    }
    EXPECT_GT(widths, 2);
}

TEST_F(ScaleOnnx, LayersThatTheTableLacksAreNamed) {
    ASSERT_EQ(call({"profile", net(), "--table", path("own.db")}).status, 0);
    const Answer answer = call({"scale", net(), "--table", path("own.db"), "--budget", "0.7"});
    EXPECT_THAT(answer.out + answer.err, HasSubstr("no network within the budget"));
}

}  // namespace
}  // namespace hacscale::cli
