#include <gmock/gmock.h>

#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

using ModelsTest = ProgramTest;

TEST_F(ModelsTest, ListsTheZoo) {
    const Answer text = call({"models"});
    const Answer json = call({"models", "--json"});
    EXPECT_EQ(text.status, 0);
    ASSERT_EQ(json.status, 0);
    const auto models = json.json()["models"];
    ASSERT_EQ(models.size(), zoo_names().size());
    for (const auto& model : models) {
        EXPECT_THAT(text.out, HasSubstr(model["name"].get<std::string>()));
        EXPECT_GT(model["params"], 0);
        EXPECT_GT(model["macs"], 0);
    }
}

TEST_F(ModelsTest, AStageWithoutANameIsNamedByItsPlace) {
    const std::string file = write("unnamed.yaml",
                                   "name: unnamed\ninput: {channels: 3, resolution: 32}\nclasses: 10\n"
                                   "stem:\n  - conv: {width: 8}\nstages:\n"
                                   "  - {block: basic, width: 8, depth: 1, stride: 1}\n"
                                   "  - {name: second, block: basic, width: 16, depth: 1, stride: 2}\n"
                                   "  - {block: basic, width: 32, depth: 1, stride: 2}\n"
                                   "head:\n  - global_avg_pool\n  - linear: {}\n");
    const Answer text = call({"models", "show", file});
    ASSERT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("\nstage 1 "));
    EXPECT_THAT(text.out, HasSubstr("\nsecond  "));
    EXPECT_THAT(text.out, HasSubstr("\nstage 3 "));
}

TEST_F(ModelsTest, ShowAnswersByTheContract) {
    const Answer answer = call({"models", "show", "resnet20-cifar", "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto model = answer.json();
    const Graph network = lower(find_model("resnet20-cifar"));
    EXPECT_EQ(model["name"], "resnet20-cifar");
    EXPECT_EQ(model["params"], network.params());
    EXPECT_EQ(model["macs"], network.macs());
    EXPECT_EQ(model["activations"], network.activations());
    EXPECT_EQ(model["bytes"], network.bytes(1, DataType::f32));
    EXPECT_EQ(model["hash"], model_hash(find_model("resnet20-cifar")));
    EXPECT_EQ(parse_model(model["yaml"].get<std::string>(), "answer"), find_model("resnet20-cifar"));
    ASSERT_EQ(model["layers"].size(), network.nodes.size());
    ASSERT_EQ(model["graph"].size(), network.nodes.size());
    std::int64_t macs = 0;
    std::int64_t params = 0;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        const auto& layer = model["layers"][i];
        macs += layer["macs"].get<std::int64_t>();
        params += layer["params"].get<std::int64_t>();
        EXPECT_EQ(layer["key"], network.nodes[i].layer.key());
        EXPECT_TRUE(layer.contains("stage"));
        const auto& node = model["graph"][i];
        EXPECT_EQ(node["input"], network.source_of(network.nodes[i]));
        EXPECT_LT(node["input"], static_cast<int>(i));
        EXPECT_EQ(node["residual"].is_null(), !network.nodes[i].layer.residual);
        EXPECT_EQ(node["out_channels"], network.nodes[i].layer.out_channels);
    }
    EXPECT_EQ(macs, network.macs());
    EXPECT_EQ(params, network.params());
}

TEST_F(ModelsTest, ShowsLayersAndGraphAsText) {
    const Answer answer = call({"models", "show", "resnet18", "--layers", "--graph"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("11,689,512 params"));
    EXPECT_THAT(answer.out, HasSubstr("reads"));
    EXPECT_THAT(answer.out, HasSubstr(lower(find_model("resnet18")).nodes.back().layer.key()));
}

TEST_F(ModelsTest, NamesNearMisses) {
    const Answer answer = call({"models", "show", "resnet81"});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("resnet18"));
}

struct BadYaml {
    std::string name;
    std::string text;
};

class BadYamlTest : public ProgramTest, public ::testing::WithParamInterface<BadYaml> {};

TEST_P(BadYamlTest, IsRefusedWithItsPlace) {
    const std::string file = write("model.yaml", GetParam().text);
    const Answer answer = call({"models", "show", file});
    EXPECT_EQ(answer.status, 2) << answer.err;
    EXPECT_EQ(answer.out, "");
    EXPECT_THAT(answer.err, HasSubstr(file));
}

std::string model_with_width(const std::string& width) {
    return "name: m\ninput: {channels: 3, resolution: 32}\nclasses: 10\nstem:\n  - conv: {width: "
           "16}\nstages:\n"
           "  - {name: stage1, block: basic, width: " +
           width + ", depth: 1, stride: 1}\nhead:\n  - global_avg_pool\n  - linear: {}\n";
}

INSTANTIATE_TEST_SUITE_P(Models, BadYamlTest,
                         ::testing::Values(BadYaml{"empty", ""}, BadYaml{"recursive", "name: &a [*a]\n"},
                                           BadYaml{"deep", std::string(100000, '[')},
                                           BadYaml{"huge", std::string(3 << 20, 'x')},
                                           BadYaml{"not_utf8", "name: \xff\xfe\n"},
                                           BadYaml{"zero_width", model_with_width("0")},
                                           BadYaml{"negative_width", model_with_width("-8")},
                                           BadYaml{"wild_width", model_with_width("1000000000")},
                                           BadYaml{"unknown_key", "naem: x\n"}),
                         [](const auto& each) { return each.param.name; });

TEST_F(ModelsTest, AMissingFileIsBadInput) {
    const Answer answer = call({"models", "show", path("none.yaml")});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("none.yaml"));
}

}  // namespace
}  // namespace hacscale::cli
