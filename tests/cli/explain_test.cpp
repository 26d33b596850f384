#include <gmock/gmock.h>

#include "harness/compare/compare.hpp"
#include "program_fixture.hpp"
#include "records/json.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExplainTest : public ProgramTest {
protected:
    ExplainTest() { write_synthetic_table(path("t.db")); }

    Answer explain(const std::vector<std::string>& more) const {
        std::vector<std::string> arguments{"explain", "resnet20-cifar", "--table", path("t.db")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
};

TEST_F(ExplainTest, TheAnswerIsTheChoiceAndWhatComesNext) {
    const Answer answer = explain({"--budget", "1.2"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, ::testing::StartsWith("resnet20-cifar on cpu, budget 1.2 x "));
    EXPECT_THAT(answer.out, HasSubstr(" -> "));
    EXPECT_THAT(answer.out, HasSubstr("% (predicted)"));
    EXPECT_THAT(answer.out, HasSubstr("\nno single step from there both gains and fits\n"));
    EXPECT_THAT(answer.out, HasSubstr("over the budget by"));
    EXPECT_LE(std::count(answer.out.begin(), answer.out.end(), '\n'), 11) << answer.out;
    EXPECT_THAT(answer.out, Not(HasSubstr("e+")));
}

TEST_F(ExplainTest, ShowsTheBaseAndTheChoiceOnRequest) {
    const Answer answer = explain({"--budget", "1.2", "--details"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("gain by balanced, in ln capacity"));
    EXPECT_THAT(answer.out, HasSubstr("\nbase: widths 16,32,64, depths 3,3,3, 32 pixels\n"));
    EXPECT_THAT(answer.out, HasSubstr("\nchosen by HACScale: widths "));
    EXPECT_THAT(answer.out, HasSubstr("over the budget by"));
    EXPECT_THAT(answer.out, HasSubstr("the space ends at 32 pixels\n"));
    EXPECT_THAT(answer.out, HasSubstr("\nNo single step from the choice both gains and fits.\n"));
}

TEST_F(ExplainTest, AnswersInJson) {
    const Answer answer = explain({"--budget", "1.2", "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto json = answer.json();
    EXPECT_EQ(json["model"], "resnet20-cifar");
    EXPECT_EQ(json["budget"], 1.2);
    EXPECT_EQ(json["gain_unit"], "ln capacity");
    EXPECT_EQ(json["reason"], "");
    ASSERT_EQ(json["contributions"].size(), 2U);
    const auto& base = json["contributions"][0];
    const auto& choice = json["contributions"][1];
    EXPECT_EQ(base["spec"], "base");
    EXPECT_EQ(choice["spec"], "hacscale");
    EXPECT_NEAR(choice["budget_us"].get<double>(), 1.2 * base["latency_us"].get<double>(), 1e-6);
    EXPECT_LE(choice["latency_us"].get<double>(), choice["budget_us"].get<double>() + 1e-3);
    for (const auto& network : {base, choice}) {
        ASSERT_EQ(network["steps"].size(), 7U);
        for (const auto& step : network["steps"]) {
            const bool known = !step["latency_us"].is_null();
            EXPECT_EQ(known, !step["to"].is_null()) << step;
            for (const char* key : {"latency_pct", "utilization", "params", "macs", "gain"}) {
                EXPECT_EQ(step[key].is_number(), known) << step;
            }
            EXPECT_EQ(step["estimate"].is_null(), !known) << step;
            EXPECT_NE(step["reason"], "") << step;
        }
        EXPECT_EQ(network["steps"][2]["name"], "stage2");
        EXPECT_TRUE(network["steps"][6]["name"].is_null());
    }
    for (const auto& step : choice["steps"]) {
        EXPECT_NE(step["outcome"], "fits") << step;
    }
}

// What stands in a run's record can be read back, steps included.
TEST_F(ExplainTest, ContributionsAreReadBackAsTheyWereWritten) {
    const Table table = Table::open(path("t.db"), OpenMode::read);
    const ModelView view(table, find_model("resnet20-cifar"), {});
    ComparisonSettings settings;
    settings.budget = 1.3;
    settings.strategies = {"uniform", "hacscale"};
    const std::string text = to_json(compare(view, settings, synthetic_device(1.1)));
    const records::ComparisonRecord read =
        records::read_comparison(records::JsonPlace::parse(text, "compare.json"));
    EXPECT_EQ(to_json(read), text);
}

TEST_F(ExplainTest, ShowsInnerWidthsOfEachBlockWhereTheyMayBeChosen) {
    const std::vector<std::string> open{"--budget",          "1.2", "--min-inner-ratio", "0.5",
                                        "--max-inner-ratio", "1.5"};
    std::vector<std::string> as_json = open;
    as_json.emplace_back("--json");
    const Answer answer = explain(as_json);
    // The table has layers whose inner widths follow, and of others those that it can interpolate.
    ASSERT_TRUE(answer.status == 0 || answer.status == 4) << answer.err;
    const auto base = answer.json()["contributions"][0];
    EXPECT_TRUE(base["inner_widths"].is_null());
    ASSERT_EQ(base["steps"].size(), 16U);  // of each stage width, depth and three blocks; and the resolution
    for (int stage = 0; stage < 3; ++stage) {
        for (int block = 0; block < 3; ++block) {
            const auto& step = base["steps"][5 * stage + 2 + block];
            EXPECT_EQ(step["dimension"], "inner_width");
            EXPECT_EQ(step["stage"], stage);
            EXPECT_EQ(step["block"], block);
            EXPECT_EQ(step["base"], 16 << stage);
            EXPECT_EQ(step["to"], (16 << stage) + 8);
        }
        EXPECT_TRUE(base["steps"][5 * stage]["block"].is_null());
    }
    std::vector<std::string> detailed = open;
    detailed.emplace_back("--details");
    EXPECT_THAT(explain(detailed).out, HasSubstr("inner width, block 3"));
    EXPECT_THAT(explain({"--budget", "1.2", "--details"}).out, Not(HasSubstr("inner width")));
}

// The two commands plan alike.
TEST_F(ExplainTest, TheChoiceIsThatOfScale) {
    const auto explained = explain({"--budget", "1.5", "--json"}).json()["contributions"];
    const Answer scaled =
        call({"scale", "resnet20-cifar", "--table", path("t.db"), "--budget", "1.5", "--json"});
    const auto compared = scaled.json();
    const auto& row = compared["strategies"][0];
    for (const char* key : {"widths", "depths", "resolution", "params", "macs", "gain"}) {
        EXPECT_EQ(explained[1][key], row[key]) << key;
        EXPECT_EQ(explained[0][key], compared["base"][key]) << key;
    }
    EXPECT_EQ(compared["contributions"], explained);
}

// When larger networks are slower than predicted, steps are judged by the budget that this leaves.
TEST_F(ExplainTest, AMeasuredChoiceIsJudgedByTheCorrectedBudget) {
    const Table table = Table::open(path("t.db"), OpenMode::read);
    const ModelView view(table, find_model("resnet20-cifar"), {});
    ComparisonSettings settings;
    settings.budget = 1.3;
    settings.strategies = {"uniform", "hacscale"};
    const records::ComparisonRecord record = compare(view, settings, synthetic_device(1.1));
    ASSERT_EQ(record.contributions.size(), 2U);
    const double base_us = *record.base.predicted_us;
    EXPECT_NEAR(record.contributions[0].network.budget_us, 1.3 * base_us, 1e-6);
    EXPECT_NEAR(record.contributions[1].network.budget_us, 1.3 * base_us / 1.1, 1e-3);
    EXPECT_EQ(record.contributions[1].network.network.choice, *record.strategies[1].choice);
}

TEST_F(ExplainTest, TheCapOnParamsIsNamed) {
    const Answer answer = explain({"--budget", "2", "--max-params", "273000", "--details"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("over the cap on parameters by "));
    EXPECT_THAT(explain({"--max-params", "1000"}).out, HasSubstr("HACScale chose nothing: the cap"));
    const Answer none = explain({"--max-params", "1000", "--details"});
    EXPECT_EQ(none.status, 0) << none.err;
    EXPECT_THAT(none.out,
                HasSubstr("HACScale chose nothing: the cap on params is 1000, and the least possible"));
    EXPECT_THAT(none.out, Not(HasSubstr("chosen by HACScale")));
    EXPECT_EQ(explain({"--max-params", "1000", "--json"}).json()["contributions"].size(), 1U);
}

// The table knows the base's resolution only.
TEST_F(ExplainTest, StepsThatTheTableLacksAreSaid) {
    const Answer answer = explain({"--resolutions", "40", "--json"});
    EXPECT_EQ(answer.status, 4);
    EXPECT_THAT(answer.err, HasSubstr("hacscale profile resnet20-cifar --table"));
    const auto step = answer.json()["contributions"][0]["steps"][6];
    EXPECT_EQ(step["to"], 40);
    EXPECT_EQ(step["outcome"], "missing");
    EXPECT_EQ(step["estimate"], "missing");
    EXPECT_TRUE(step["gain"].is_null());
    EXPECT_THAT(step["reason"].get<std::string>(), HasSubstr("(conv_i3x40x40"));
}

// The way to a smaller budget is down.
TEST_F(ExplainTest, BelowTheBaseStepsLeadDown) {
    const Answer answer = explain({"--budget", "0.8"});
    ASSERT_TRUE(done_or_noisy(answer)) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("\nsteps down from the base, least loss per latency first: "));
    EXPECT_THAT(explain({"--budget", "0.8", "--details"}).out, HasSubstr("still over the budget by"));
    const auto json = explain({"--budget", "0.8", "--json"}).json();
    const auto& base = json["contributions"][0];
    EXPECT_EQ(base["direction"], "down");
    int down = 0;
    for (const auto& step : base["steps"]) {
        if (step["to"].is_null() || step["latency_us"].is_null()) continue;
        EXPECT_LT(step["to"], step["from"]) << step;
        down += step["latency_us"] < 0.0 && step["gain"] < 0.0 ? 1 : 0;
    }
    EXPECT_GT(down, 2);
    EXPECT_FALSE(json["contributions"][1].contains("direction")) << "the choice is within the budget";
    const Table table = Table::open(path("t.db"), OpenMode::read);
    const ModelView view(table, find_model("resnet20-cifar"), {});
    ComparisonSettings settings;
    settings.budget = 0.8;
    settings.strategies = {"hacscale"};
    const std::string text = to_json(compare(view, settings, {}));
    EXPECT_EQ(to_json(records::read_comparison(records::JsonPlace::parse(text, "compare.json"))), text);
}

TEST_F(ExplainTest, ATableThatLacksLayersNamesThemAndTheCommand) {
    for (const char* command : {"explain", "scale"}) {
        const Answer answer = call({command, "resnet18", "--table", path("t.db")});
        EXPECT_EQ(answer.status, 2);
        EXPECT_THAT(answer.err, HasSubstr(" layers of resnet18, "));
        EXPECT_THAT(answer.err, HasSubstr(" (conv_i3x224x224"));
        EXPECT_THAT(answer.err, HasSubstr("measure them by: hacscale profile resnet18 --table "));
    }
    EXPECT_THAT(call({"explain", "resnet20-cifar", "--table", path("t.db"), "--freeze", "x"}).err,
                HasSubstr("ONNX files"));
}

TEST_F(ExplainTest, BadInputIsRefused) {
    for (const char* budget : {"0.09", "-1", "nan", "101", "wide"}) {
        EXPECT_EQ(explain({"--budget", budget}).status, 2) << budget;
    }
    EXPECT_THAT(explain({"--budget", "0.09"}).err,
                HasSubstr("the latency budget is 0.09, expected 0.1 to 16"));
    EXPECT_EQ(explain({"--max-params", "-5"}).status, 2);
    EXPECT_EQ(explain({"--resolutions", "0"}).status, 2);
    EXPECT_EQ(explain({"--gain", path("none.yaml")}).status, 2);
    EXPECT_EQ(explain({"--batch", "3"}).status, 2) << "the table has no row at this batch";
    EXPECT_EQ(call({"explain", "resnet20-cifar", "--table", path("none.db")}).status, 2);
    EXPECT_EQ(call({"explain", "resnet18", "--table", path("t.db")}).status, 2);
    EXPECT_EQ(call({"explain", "resnet20-cifar"}).status, 2);
    EXPECT_EQ(call({"explain"}).status, 2);
}

}  // namespace
}  // namespace hacscale::cli
