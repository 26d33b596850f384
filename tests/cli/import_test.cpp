// Networks from ONNX files in commands: which take them, with which sizes of inputs, and which say that they need stages.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "made_up_device.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/safetensors.hpp"
#include "profiler/table/table.hpp"
#include "records/json.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OnnxFile : public MadeUpDeviceTest {
protected:
    // A conv with a ReLU, a mean over the map, and a linear layer; height and width are open.
    OnnxFile() {
        using onnx::Ints;
        onnx::Model model = onnx::model_of(
            {1, 3, 8, 8},
            {onnx::node("Conv", {"x", "conv.weight", "conv.bias"}, {"c"}, {{"pads", Ints{1, 1, 1, 1}}}),
             onnx::node("Relu", {"c"}, {"r"}), onnx::node("GlobalAveragePool", {"r"}, {"p"}),
             onnx::node("Flatten", {"p"}, {"f"}),
             onnx::node("Gemm", {"f", "fc.weight", "fc.bias"}, {"y"}, {{"transB", std::int64_t{1}}})},
            {onnx::weights("conv.weight", {8, 3, 3, 3}), onnx::weights("conv.bias", {8}),
             onnx::weights("fc.weight", {10, 8}), onnx::weights("fc.bias", {10})});
        onnx::write_file(model, path("net.onnx"));
    }

    std::string net() const { return path("net.onnx"); }
    // 3x3x8x8 MACs a channel of the map, and the linear layer's.
    static constexpr std::int64_t macs = 3 * 9 * 8 * 64 + 80;
};

TEST_F(OnnxFile, ImportSaysInFewLinesWhatItIs) {
    const Answer text = call({"import", net()});
    ASSERT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("net: 3 layers, 314 params, 13,904 MACs"));
    EXPECT_THAT(text.out, HasSubstr("inputs x 3x8x8; outputs y 10x1x1"));
    EXPECT_THAT(text.out, HasSubstr("\n  hacscale verify " + net()));
    EXPECT_LE(std::count(text.out.begin(), text.out.end(), '\n'), 20);
    const Answer json = call({"import", net(), "--json"});
    ASSERT_EQ(json.status, 0) << json.err;
    EXPECT_EQ(json.json()["macs"], macs);
    EXPECT_EQ(json.json()["kinds"][0]["kind"], "conv");
    EXPECT_EQ(json.json()["kinds"][0]["macs"], macs - 80);
    EXPECT_THAT(json.json()["left_out"], SizeIs(0));
}

TEST_F(OnnxFile, IsProfiledLayerByLayerAndVerified) {
    const Answer profiled = call({"profile", net(), "--table", path("t.db"), "--json"});
    ASSERT_EQ(profiled.status, 0) << profiled.err;
    EXPECT_EQ(profiled.json()["measured"], 3);
    EXPECT_THAT(profiled.json()["models"], SizeIs(0)) << "it has no other widths";
    ASSERT_THAT(profiled.json()["networks"], SizeIs(1));
    const std::string hash = profiled.json()["networks"][0]["model_hash"];
    EXPECT_EQ(call({"import", net(), "--json"}).json()["hash"], hash);

    const Answer verified = call({"verify", net(), "--table", path("t.db"), "--json"});
    ASSERT_EQ(verified.status, 0) << verified.err;
    EXPECT_EQ(verified.json()["models"][0]["model"], "net");
    EXPECT_EQ(verified.json()["models"][0]["model_hash"], hash);

    const Answer diff = call({"table", "diff", path("t.db"), path("t.db"), "--models", net(), "--json"});
    ASSERT_EQ(diff.status, 0) << diff.err;
    EXPECT_EQ(diff.json()["models"][0]["unknown_layers"], 0);
}

TEST_F(OnnxFile, IsTracedAndShown) {
    const Answer traced = call({"trace", net(), "--out", path("trace.json"), "--json"});
    ASSERT_EQ(traced.status, 0) << traced.err;
    EXPECT_EQ(traced.json()["layers"], 3);
    const Answer shown = call({"models", "show", net(), "--graph", "--layers"});
    ASSERT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("conv_i3x8x8_o8_k3_s1_p1_g1_bias_relu"));
}

TEST_F(OnnxFile, IsAdvisedOnFromItsNearbyWidths) {
    ASSERT_EQ(call({"profile", net(), "--table", path("t.db")}).status, 0);
    const Answer own = call({"advise", net(), "--table", path("t.db"), "--input", "x=3x8x8"});
    EXPECT_EQ(own.status, 4) << own.err;
    EXPECT_THAT(own.out, HasSubstr("net takes "));
    EXPECT_THAT(own.out, HasSubstr("1 layer: no wider count is measured; they are by\n  hacscale profile"));
    EXPECT_THAT(own.out, HasSubstr("--input x=3x8x8"));
    EXPECT_THAT(own.out, HasSubstr("--nearby-widths 8"));

    const Answer profiled =
        call({"profile", net(), "--table", path("t.db"), "--nearby-widths", "1", "--json"});
    ASSERT_EQ(profiled.status, 0) << profiled.err;
    EXPECT_EQ(profiled.json()["measured"], 2 + 1)
        << "the conv and the linear layer at 16 channels, and the mean";
    const Answer advised = call({"advise", net(), "--table", path("t.db"), "--json"});
    ASSERT_EQ(advised.status, 0) << advised.err;
    EXPECT_EQ(advised.json()["stages"].size(), 0U);
    EXPECT_EQ(advised.json()["nodes"].size(), 3U);
    EXPECT_EQ(advised.json()["widths"][0]["points"][1]["channels"], 16);
    EXPECT_EQ(advised.json()["widths"][0]["points"][1]["estimate"], "measured");
    const Answer lines = call({"advise", net(), "--table", path("t.db")});
    for (const char* part : {"\ntime: ", "\nwaste: ", "\nfree upwards", "\nworth dropping"}) {
        EXPECT_THAT(lines.out, HasSubstr(part));
    }
    EXPECT_EQ(call({"advise", "resnet8-cifar", "--table", path("t.db"), "--input", "x=3x8x8"}).status, 2);
    EXPECT_EQ(call({"profile", "resnet8-cifar", "--table", path("t.db"), "--nearby-widths", "1"}).status, 2);
}

TEST_F(OnnxFile, OutputsAreComparedWithItsOwnWeights) {
    const Answer right = call({"verify", net(), "--outputs", "--json"});
    ASSERT_EQ(right.status, 0) << right.err;
    const records::Json& network = right.json()["networks"][0];
    EXPECT_EQ(network["own_weights"], true);
    EXPECT_LT(network["relative_error"].get<double>(), 1e-6);
    const Answer random = call({"verify", "resnet8-cifar", "--outputs"});
    EXPECT_EQ(random.status, 0) << random.err;
    EXPECT_THAT(random.out, HasSubstr("random weights"));
    const Answer timed = call({"verify", net(), "--json"});
    EXPECT_TRUE(done_or_noisy(timed)) << "without a table it is timed: " << timed.err;
    EXPECT_GT(timed.json()["networks"][0]["measured_us"], 0.0);
}

TEST_F(OnnxFile, OutputsAreComparedOnImagesOfOnesOwn) {
    std::vector<float> images(std::size_t{3} * 3 * 8 * 8);
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = 40.0F * static_cast<float>(i % 7);
    write_safetensors(path("images.safetensors"), {}, {{"images", {3, 3, 8, 8}, &images}});
    const std::vector<std::string> with_images{"verify", net(), "--images", path("images.safetensors")};
    for (const std::string type : {"f32", "i8"}) {
        std::vector<std::string> words = with_images;
        words.insert(words.end(), {"--outputs", "--batch", "2", "--dtype", type});
        const Answer answer = call(words);
        EXPECT_EQ(answer.status, 0) << "in ranges of -1 to 1 they would be cut: " << answer.out << answer.err;
    }
    const Answer timed = call(with_images);
    EXPECT_EQ(timed.status, 2);
    EXPECT_THAT(timed.err, HasSubstr("--images is for --outputs"));
    const Answer missing = call({"verify", net(), "--outputs", "--images", path("none.safetensors")});
    EXPECT_EQ(missing.status, 2);
    EXPECT_THAT(missing.err, HasSubstr("expected a safetensors file"));
}

TEST_F(OnnxFile, CommandsThatNeedStagesRefuseItInOneSentence) {
    const Answer code = call({"models", "export", net()});
    EXPECT_EQ(code.status, 2);
    EXPECT_THAT(code.err, HasSubstr("PyTorch code is written for models with stages"));
    EXPECT_EQ(call({"import", "resnet18"}).status, 2);
}

TEST_F(OnnxFile, SizesOfInputsAreReadStrictly) {
    onnx::Model model = onnx::model_of({1, 3, 8, 8}, {onnx::node("Conv", {"x", "w"}, {"y"})},
                                       {onnx::weights("w", {8, 3, 3, 3})});
    for (const std::size_t side : {2U, 3U})
        model.graph.inputs[0].shape.value()[side] = {std::nullopt, "side"};
    onnx::write_file(model, path("open.onnx"));
    const Answer open = call({"import", path("open.onnx")});
    EXPECT_EQ(open.status, 2);
    EXPECT_THAT(open.err, HasSubstr("--input x=3x224x224"));
    const Answer sized = call({"import", path("open.onnx"), "--input", "x=3x16x12", "--json"});
    ASSERT_EQ(sized.status, 0) << sized.err;
    EXPECT_THAT(sized.json()["inputs"][0], ElementsAre(3, 16, 12));
    for (const char* wrong : {"x", "x=", "=3x16x16", "x=3x", "x=x3", "x=3x-1x4", "x=3x1.5", "x=3x0x4",
                              "x=3 x4", "x=99999999999999999999"}) {
        const Answer answer = call({"import", path("open.onnx"), "--input", wrong});
        EXPECT_EQ(answer.status, 2) << wrong;
        EXPECT_THAT(answer.err, HasSubstr("NAME=3x224x224")) << wrong;
    }
    const Answer twice = call({"import", path("open.onnx"), "--input", "x=3x8x8", "--input", "x=3x8x8"});
    EXPECT_EQ(twice.status, 2);
    EXPECT_THAT(twice.err, HasSubstr("given twice"));
    EXPECT_EQ(call({"profile", "resnet18", "--table", path("t.db"), "--input", "x=3x8x8"}).status, 2);
}

TEST_F(OnnxFile, ASuiteProfilesAndVerifiesIt) {
    const std::string rest = "name: s\nstrategies: [hacscale]\nseconds: 0.02\nminutes: 0.01\n";
    const std::string verified =
        write("verified.yaml", rest + "models: [resnet8-cifar]\nverify: [net.onnx]\n");
    const Answer run = call({"run", verified, "--out", path("out"), "--quiet"});
    EXPECT_TRUE(run.status == 0 || run.status == 4) << run.err;
    const records::Json report = records::Json::parse(std::ifstream(path("out/verify.json")));
    std::set<std::string> models;
    for (const records::Json& one : report["models"]) models.insert(one["model"]);
    EXPECT_TRUE(models.contains("net"));
}

TEST_F(OnnxFile, ASuiteScalesItBesideModelsWithStages) {
    write("small.yaml",
          "name: small\ninput: {channels: 3, resolution: 8}\nclasses: 10\nstem:\n  - conv: {width: "
          "32}\nstages:\n"
          "  - {name: stage1, block: basic, width: 32, depth: 1}\n"
          "  - {name: stage2, block: basic, width: 64, depth: 1, stride: 2}\n"
          "head:\n  - global_avg_pool\n  - linear: {}\n");
    ASSERT_EQ(call({"models", "export", path("small.yaml"), "--out", path("wide.onnx")}).status, 0);
    const std::string rest =
        "name: s\nstrategies: [l1-pruning, hacscale]\nseconds: 0.02\nminutes: 0.02\nbudgets: "
        "[0.9]\n";
    const std::string suite = write("suite.yaml", rest + "models: [small.yaml, wide.onnx]\n");
    const Answer run = call({"run", suite, "--out", path("out"), "--quiet"});
    EXPECT_TRUE(run.status == 0 || run.status == 4) << run.err;
    const records::Json record = records::Json::parse(std::ifstream(path("out/compare-wide-0.9.json")));
    EXPECT_GT(record["width_names"].size(), 3U);
    for (const records::Json& row : record["strategies"]) {
        EXPECT_LE(row["latency_ratio"].get<double>(), 0.9 * 1.03) << row;
        EXPECT_LT(row["params"], record["base"]["params"]) << row;
    }
    EXPECT_TRUE(std::filesystem::exists(path("out/compare-small-0.9.json")));
    EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));
    const Answer again = call({"run", suite, "--out", path("out"), "--dry-run", "--json"});
    EXPECT_EQ(again.json()["devices"][0]["states"][0]["comparisons_known"], 2);

    write("resolutions.yaml", rest + "models: [wide.onnx]\nresolutions: [40]\n");
    EXPECT_THAT(call({"run", path("resolutions.yaml"), "--out", path("no")}).err,
                HasSubstr("one resolution"));
    write("gains.yaml", rest + "models: [wide.onnx]\ngains: {wide.onnx: suite.yaml}\n");
    EXPECT_THAT(call({"run", path("gains.yaml"), "--out", path("no")}).err, HasSubstr("no stages"));
}

TEST_F(OnnxFile, ASuiteMayHaveNothingElse) {
    onnx::Model model = onnx::model_of({1, 3, 8, 8}, {onnx::node("Conv", {"x", "w"}, {"y"})},
                                       {onnx::weights("w", {8, 3, 3, 3})});
    for (const std::size_t side : {2U, 3U}) {
        model.graph.inputs[0].shape.value()[side] = {std::nullopt, "side"};
    }
    onnx::write_file(model, path("open.onnx"));
    const std::string rest = "name: s\nseconds: 0.02\nminutes: 0.01\nverify: [net.onnx, open.onnx]\n";
    const std::string suite = write("suite.yaml", rest + "inputs: {open.onnx: x=3x16x12}\n");
    const Answer run = call({"run", suite, "--out", path("out"), "--quiet"});
    EXPECT_TRUE(run.status == 0 || run.status == 4) << run.err;
    const records::Json report = records::Json::parse(std::ifstream(path("out/verify.json")));
    EXPECT_THAT(report["models"], SizeIs(2));
    const Table table = Table::open(path("out/table.db"), OpenMode::read);
    RowFilter sized;
    sized.layer_contains = "conv_i3x16x12_o8_k3_s1_p0_g1";
    EXPECT_EQ(table.query(sized).size(), 1U);
    EXPECT_EQ(call({"run", suite, "--out", path("plan"), "--dry-run"}).status, 0);

    const std::vector<std::pair<std::string, std::string>> wrong{
        {"inputs: {open.onnx: x=3x16}\n", "open.onnx"},
        {"inputs: {other.onnx: x=3x16x12}\n", "none of the ONNX files under models and verify"},
        {"inputs: {open.onnx: [x=3x16x12, x=3x8x8]}\n", "given twice"},
        {"inputs: [open.onnx]\n", "FILE: NAME=3x224x224"}};
    for (const auto& [line, why] : wrong) {
        const Answer refused = call({"run", write("wrong.yaml", rest + line), "--out", path("no")});
        EXPECT_EQ(refused.status, 2) << line;
        EXPECT_THAT(refused.err, HasSubstr("wrong.yaml:")) << line;
        EXPECT_THAT(refused.err, HasSubstr(why)) << line;
    }
}

}  // namespace
}  // namespace hacscale::cli
