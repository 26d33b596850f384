// Models with stages that are scaled along with their weights, by stages and as graphs.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "made_up_device.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class ScaleWeights : public MadeUpDeviceTest {
protected:
    ScaleWeights() {
        write_state_dict(weights(), graph_, layers());
        const Answer profiled = call({"profile", "resnet8-cifar", "--own-layers", "--widths", "0.25..1.5",
                                      "--table", table(), "--minutes", "1"});
        EXPECT_THAT(profiled.status, ::testing::AnyOf(0, 4)) << profiled.err;
    }

    // With batch-norms, as training leaves them.
    std::vector<TrainedLayer> layers() const {
        std::vector<TrainedLayer> layers = unnormalized(random_weights(graph_, 4));
        for (std::size_t n = 0; n < layers.size(); ++n) {
            if (!learns_batch_norm(graph_.nodes[n])) continue;
            const auto channels = layers[n].products.bias.size();
            layers[n].norm = {std::vector<float>(channels, 1.25F), layers[n].products.bias,
                              std::vector<float>(channels, 0.1F), std::vector<float>(channels, 2.0F)};
            layers[n].products.bias.clear();
        }
        return layers;
    }
    void write_scores() const {
        std::string text = "{\"method\": \"taylor\", \"groups\": {";
        for (const ChannelGroup& group : channel_groups(graph_)) {
            text += (text.back() == '{' ? "\"" : ", \"") + group.name + "\": [";
            for (int unit = 0; unit < group.units(); ++unit)
                text += (unit > 0 ? "," : "") + std::to_string(unit % 7);
            text += "]";
        }
        std::ofstream(path("scores.json")) << text << "}}";
    }
    static std::vector<std::string> lines_of(const std::string& text) {
        std::vector<std::string> lines;
        std::istringstream stream(text);
        for (std::string line; std::getline(stream, line);) lines.push_back(line);
        return lines;
    }
    std::string weights() const { return path("w.safetensors"); }
    std::string table() const { return path("t.db"); }
    Answer scale(const std::string& budget, const std::vector<std::string>& more) {
        std::vector<std::string> words{"scale", "resnet8-cifar", "--table", table(), "--budget", budget};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    }

    const Graph graph_ = lower(find_model("resnet8-cifar"));
};

TEST_F(ScaleWeights, AModelIsWrittenWithItsWeights) {
    const Answer answer = scale("0.9", {"--weights", weights(), "--out", path("small.yaml"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("its weights, which \"hacscale"));
    for (const std::string& line : lines_of(answer.err)) EXPECT_LE(line.size(), 80 + path("").size()) << line;
    const ModelSpec small = load_model(path("small.yaml"));
    const std::vector<TrainedLayer> read = read_trained_layers(path("small.safetensors"), lower(small));
    EXPECT_TRUE(has_batch_norms(read));
    EXPECT_LT(lower(small).params(), graph_.params());
    // What was written goes on: as the weights of the smaller model, in whatever takes some.
    const Answer exported = call({"models", "export", path("small.yaml"), "--weights",
                                  path("small.safetensors"), "--out", path("small.onnx")});
    ASSERT_EQ(exported.status, 0) << exported.err;
    EXPECT_THAT(exported.out, HasSubstr("the weights of"));
    // As an ONNX file of the same choice it has the same numbers.
    ASSERT_EQ(scale("0.9", {"--weights", weights(), "--out", path("direct.onnx")}).status, 0);
    const Network direct = import_onnx(path("direct.onnx"));
    const Network written = import_onnx(path("small.onnx"));
    ASSERT_EQ(direct.weights.size(), written.weights.size());
    for (std::size_t n = 0; n < direct.weights.size(); ++n) {
        for (std::size_t i = 0; i < direct.weights[n].weights.size(); ++i) {
            ASSERT_NEAR(direct.weights[n].weights[i], written.weights[n].weights[i], 1e-5);
        }
    }
}

TEST_F(ScaleWeights, ALargerModelComputesWhatItsBaseDoes) {
    const Answer answer = scale("1.3", {"--weights", weights(), "--out", path("large.onnx")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("outputs are the base's until it is"));
    const Network large = import_onnx(path("large.onnx"));
    EXPECT_GT(large.graph.params(), graph_.params());
    Network base{.name = "base", .graph = graph_, .weights = folded(graph_, layers())};
    const auto inputs = random_inputs(graph_, 1, 3);
    const auto a = reference_graph(base.graph, 1, inputs, base.weights).front();
    const auto b = reference_graph(large.graph, 1, inputs, large.weights).front();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4 * (1.0 + std::abs(a[i])));
}

TEST_F(ScaleWeights, AsAGraphEveryGroupIsChosenAndTheResultHasStages) {
    write_scores();
    const Answer answer =
        call({"compare", "resnet8-cifar", "--as-graph", "--weights", weights(), "--scores",
              path("scores.json"), "--table", table(), "--budget", "0.9", "--strategies",
              "l1-pruning,taylor-pruning,halp,hacscale", "--networks", path("chosen"), "--json"});
    ASSERT_THAT(answer.status, ::testing::AnyOf(0, 4)) << answer.err;
    const auto json = answer.json();
    EXPECT_GT(json["width_names"].size(), 3U);
    EXPECT_EQ(json["base"]["model_hash"], model_hash(find_model("resnet8-cifar")));
    int written = 0;
    for (const auto& row : json["strategies"]) {
        const std::string name =
            path("chosen") + "/resnet8-cifar-" + row["strategy"].get<std::string>() + "-0.9";
        if (row["spec"].get<std::string>().empty()) continue;
        const ModelSpec model = load_model(name + ".yaml");
        EXPECT_EQ(model_hash(model), row["model_hash"]) << name;
        EXPECT_EQ(lower(model).params(), row["params"].get<std::int64_t>()) << name;
        EXPECT_NO_THROW(read_trained_layers(name + ".safetensors", lower(model))) << name;
        ++written;
    }
    EXPECT_EQ(written, 4);
}

TEST_F(ScaleWeights, WeightsThatDoNotFitAreRefusedBeforeAnythingIsMeasured) {
    const auto error_with = [&](const std::string& file, const std::string& model = "resnet8-cifar") {
        const Answer answer = call(
            {"scale", model, "--table", path("none.db"), "--weights", file, "--out", path("small.yaml")});
        EXPECT_EQ(answer.status, 2);
        return answer.err;
    };
    EXPECT_THAT(error_with(weights(), "resnet20-cifar"),
                HasSubstr("expected the tensor stage1.block2.conv1.weight"));
    EXPECT_THAT(error_with(weights(), "wrn-16-4-cifar"), HasSubstr("expected the tensor stage1"));
    EXPECT_THAT(error_with(path("none.safetensors")), HasSubstr("none.safetensors"));
    std::vector<TrainedLayer> bad = layers();
    bad[1].norm.shift[0] = std::numeric_limits<float>::quiet_NaN();
    write_state_dict(path("nan.safetensors"), graph_, bad);
    EXPECT_THAT(error_with(path("nan.safetensors")), HasSubstr("not finite"));
    std::filesystem::create_directory(path("run"));
    EXPECT_THAT(scale("0.9", {"--weights", path("run"), "--verify"}).err, HasSubstr("export-weights"));
    EXPECT_THAT(scale("0.9", {"--scores", path("s.json")}).err, HasSubstr("--weights"));
    EXPECT_THAT(scale("0.9", {"--channels", path("c.json"), "--as-graph"}).err, HasSubstr("--weights"));
    EXPECT_THAT(scale("0.9", {"--group", "x:1..2"}).err, HasSubstr("--as-graph"));
}

}  // namespace
}  // namespace hacscale::cli
