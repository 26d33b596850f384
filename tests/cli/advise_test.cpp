#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"

#include "models/stages/lowering.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string content_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

class AdviseTest : public ProgramTest {
protected:
    AdviseTest() { write_synthetic_table(path("t.db")); }

    Answer advise(std::vector<std::string> more) {
        std::vector<std::string> arguments{"advise", "resnet20-cifar", "--table", path("t.db")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }

    // Adds what a table of stages lacks: the base with each block's inner width changed alone.
    void add_inner_widths(RowStatus status = RowStatus::ok, double ci95_ratio = 0.001) {
        Table table = Table::open(path("t.db"), OpenMode::write);
        const ModelSpec base = find_model("resnet20-cifar");
        const std::int64_t footprint = footprint_bucket(pass_footprint(lower(base), 1, DataType::f32));
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            for (int width = 8; width <= 2 * base.stages[s].width; width += 8) {
                ModelSpec model = base;
                std::fill(model.stages[s].inner_widths.begin(), model.stages[s].inner_widths.end(), width);
                std::vector<Row> rows;
                for (const Node& node : lower(model).nodes) {
                    Row row;
                    row.key.layer = node.layer;
                    row.key.footprint_bytes = footprint;
                    row.status = status;
                    if (status != RowStatus::ok) row.reason = "made up";
                    row.latency_us = testing::SyntheticSource::latency_us(node.layer);
                    row.ci95_us = ci95_ratio * row.latency_us;
                    row.samples = 100;
                    row.implementation = "made up";
                    row.measured_at = "2026-01-01T00:00:00Z";
                    rows.push_back(row);
                }
                table.put(rows);
            }
        }
    }

    static const nlohmann::json& named(const nlohmann::json& list, const std::string& name) {
        return *std::find_if(list.begin(), list.end(),
                             [&](const nlohmann::json& one) { return one["name"] == name; });
    }
};

// The made-up device's kernels take 32 output and 16 input channels at once; 32 and 64 channels stand at the
// right edge, and the next count costs as much as the one after.
TEST_F(AdviseTest, NamesFreeAndWastefulCounts) {
    add_inner_widths();
    const Answer answer = advise({"--json", "--tolerance", "0.05"});
    ASSERT_NE(answer.status, 2) << answer.err;
    const nlohmann::json advice = answer.json();
    EXPECT_EQ(advice["model"], "resnet20-cifar");
    EXPECT_EQ(advice["device"]["id"], "cpu");
    EXPECT_GT(advice["latency_us"].get<double>(), 0.0);
    ASSERT_EQ(advice["layers"].size(), 22U);
    ASSERT_EQ(advice["stages"].size(), 3U);
    const nlohmann::json& inner = named(advice["widths"], "stage2.block2 inner");
    EXPECT_EQ(inner["layers"], nlohmann::json({"stage2.block2.conv1"}));
    EXPECT_EQ(inner["readers"], nlohmann::json({"stage2.block2.conv2"}));
    EXPECT_EQ(inner["channels"], 32);
    EXPECT_EQ(inner["state"], "none");
    EXPECT_EQ(inner["costly_from"], 40);
    const auto after_edge = std::find_if(inner["wasteful"].begin(), inner["wasteful"].end(),
                                         [](const nlohmann::json& one) { return one["channels"] == 40; });
    ASSERT_NE(after_edge, inner["wasteful"].end());
    const nlohmann::json& wasteful = *after_edge;
    EXPECT_EQ(wasteful["after"], 32);
    EXPECT_EQ(wasteful["same_latency_up_to"], 48);
    EXPECT_GT(wasteful["extra_us"].get<double>(), wasteful["extra_ci95_us"].get<double>());
    const nlohmann::json& layer = named(advice["layers"], "stage2.block2.conv1");
    EXPECT_EQ(layer["width"], "stage2.block2 inner");
    EXPECT_EQ(layer["state"], "none");
    EXPECT_EQ(named(advice["layers"], "head.linear2")["state"], "given");
    EXPECT_THAT(advice["sentence"].get<std::string>(), ::testing::StartsWith("0 of the 22 layers"));

    const nlohmann::json generous = advise({"--json", "--tolerance", "1"}).json();
    EXPECT_EQ(named(generous["layers"], "stage2.block2.conv1")["free_channels"], 64);
    EXPECT_THAT(generous["sentence"].get<std::string>(), HasSubstr("have free capacity, most of all "));
    EXPECT_THAT(generous["sentence"].get<std::string>(), HasSubstr("from 16 to 32 channels (+100 %)"));
}

// An extra adds up what the table has for the layers that change, and nothing else.
TEST_F(AdviseTest, ExtrasAreSumsOverTheTable) {
    add_inner_widths();
    const nlohmann::json advice = advise({"--json"}).json();
    const ModelSpec base = find_model("resnet20-cifar");
    const auto sum_us = [](const ModelSpec& model) {
        double sum = 0.0;
        for (const Node& node : lower(model).nodes) {
            sum += testing::SyntheticSource::latency_us(node.layer);
        }
        return sum;
    };
    for (const nlohmann::json& point : named(advice["widths"], "stage3.block3 inner")["points"]) {
        ModelSpec model = base;
        model.stages[2].inner_widths[2] = point["channels"];
        EXPECT_NEAR(point["extra_us"].get<double>(), sum_us(model) - sum_us(base), 1e-6);
        EXPECT_EQ(point["estimate"], "measured");
    }
    for (const nlohmann::json& point : named(advice["stages"], "stage2")["points"]) {
        ScalingChoice choice = choice_of(base);
        choice.widths[1] = point["channels"];
        EXPECT_NEAR(point["extra_us"].get<double>(), sum_us(scaled(base, choice)) - sum_us(base), 1e-6);
    }
}

// A table of stages has no inner width on its own: that is said, and the stage as a whole decides.
TEST_F(AdviseTest, JudgesByTheStageWhereAWidthWasNotMeasuredAlone) {
    const Answer answer = advise({"--json"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    const nlohmann::json advice = answer.json();
    for (const nlohmann::json& width : advice["widths"]) {
        for (const nlohmann::json& point : width["points"]) {
            const bool judged = point["extra"] != "unknown";
            EXPECT_TRUE(!judged || point["estimate"] == "measured");
            EXPECT_EQ(judged, point["extra_us"].is_number());
            if (point["channels"] == width["free_channels"]) {
                EXPECT_EQ(point["extra"], "none");
            }
        }
    }
    EXPECT_EQ(named(advice["widths"], "stage2.block2 inner")["state"], "unknown");
    const nlohmann::json& stage = named(advice["stages"], "stage2");
    EXPECT_NE(stage["state"], "unknown");
    const nlohmann::json& layer = named(advice["layers"], "stage2.block2.conv1");
    EXPECT_EQ(layer["stage"], "stage2");
    EXPECT_EQ(layer["state"], stage["state"]);
    EXPECT_EQ(layer["free_channels"], stage["free_channels"]);
    EXPECT_TRUE(advice["layers"].back()["stage"].is_null());
}

TEST_F(AdviseTest, LeavesOpenWhatIsNotMeasured) {
    const Answer answer = advise({"--json", "--max-width-ratio", "1"});
    EXPECT_EQ(answer.status, 4);
    const nlohmann::json advice = answer.json();
    for (const nlohmann::json& layer : advice["layers"]) {
        EXPECT_TRUE(layer["state"] == "unknown" || layer["state"] == "given");
        EXPECT_TRUE(layer["free_channels"].is_null());
    }
    EXPECT_THAT(advice["sentence"].get<std::string>(),
                HasSubstr("for 21 it is not known, since nothing wider is measured"));
    const std::string text = advise({"--max-width-ratio", "1"}).out;
    EXPECT_THAT(
        text,
        HasSubstr(
            "21 layers: no wider count is measured; they are by\n  hacscale profile resnet20-cifar --table"));
    EXPECT_THAT(text, HasSubstr("--min-inner-ratio 0.5"));
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 11) << text;
}

TEST_F(AdviseTest, MarksNoisyRows) {
    add_inner_widths(RowStatus::noisy, 0.6);
    const Answer answer = advise({"--json"});
    EXPECT_EQ(answer.status, 4);
    const nlohmann::json advice = answer.json();
    const nlohmann::json& inner = named(advice["widths"], "stage2.block2 inner");
    EXPECT_EQ(inner["state"], "unclear");
    EXPECT_TRUE(inner["free_channels"].is_null());
    EXPECT_TRUE(inner["points"][0]["noisy"].get<bool>());
    EXPECT_THAT(advice["sentence"].get<std::string>(), HasSubstr("too noisy to tell"));
    const Answer text = advise({});
    EXPECT_THAT(text.out, HasSubstr("too noisy to tell"));
    EXPECT_THAT(text.out, HasSubstr("--remeasure-noisy"));
    EXPECT_LE(std::count(text.out.begin(), text.out.end(), '\n'), 11) << text.out;
    EXPECT_THAT(advise({"--details"}).out, HasSubstr("noisy"));
}

TEST_F(AdviseTest, PrintsLayersAndWidthsOnRequestAndASentenceAtTheEnd) {
    const Answer answer = advise({"--markdown", path("advice.md"), "--details"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    for (const char* text :
         {"Free capacity of resnet20-cifar", "A made-up device", "Layer by layer", "stage3.block2.conv1",
          "stem.conv1 + stage1", "Wasteful counts", "Stages as a whole"}) {
        EXPECT_THAT(answer.out, HasSubstr(text));
    }
    const std::string sentence = advise({"--json"}).json()["sentence"];
    EXPECT_THAT(answer.out, HasSubstr(sentence + "\n\n"));
    EXPECT_THAT(advise({}).out, ::testing::StartsWith("cpu, batch 1, f32: resnet20-cifar takes "));
    EXPECT_THAT(advise({}).out, Not(HasSubstr("Layer by layer")));

    const std::string markdown = content_of(path("advice.md"));
    EXPECT_THAT(markdown, HasSubstr("# Free capacity of resnet20-cifar\n"));
    EXPECT_THAT(markdown, HasSubstr("| stage3.block2.conv1 | stage3 as a whole | 64 |"));
    EXPECT_THAT(markdown, HasSubstr("Every count looked at"));
    EXPECT_THAT(answer.out, Not(HasSubstr("Every count looked at")));
}

TEST_F(AdviseTest, RefusesBadInput) {
    const auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
        const Answer answer = call(arguments);
        EXPECT_EQ(answer.status, 2) << why;
        EXPECT_THAT(answer.err, HasSubstr(why));
        EXPECT_EQ(answer.out, "");
    };
    refused({"advise", "resnet20-cifar"}, "--table");
    refused({"advise", "no-such-model", "--table", path("t.db")}, "no-such-model");
    refused({"advise", "resnet20-cifar", "--table", path("none.db")}, "none.db");
    refused({"advise", "vgg16-bn", "--table", path("t.db")}, "none of the layers of vgg16-bn");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--batch", "7"}, "none of the layers");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--dtype", "f8"}, "f8");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--cache", "hot"}, "hot");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--tolerance", "0"}, "--tolerance");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--grid", "0"}, "--grid");
    refused({"advise", "resnet20-cifar", "--table", path("t.db"), "--max-width-ratio", "0.5"},
            "--max-width-ratio");
    EXPECT_EQ(advise({"--markdown", path("no/folder/advice.md")}).status, 1);
}

}  // namespace
}  // namespace hacscale::cli
