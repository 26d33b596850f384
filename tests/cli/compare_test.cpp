// "scale" and "compare" as commands, and how their answers are printed.
#include <gmock/gmock.h>

#include <sstream>

#include "base/text/lines.hpp"
#include "cli/printing/printing.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/describe.hpp"
#include "models/formats/formats.hpp"
#include "program_fixture.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/harness/sample_comparison.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CompareTest : public ProgramTest {
protected:
    CompareTest() { write_synthetic_table(path("t.db")); }
};

TEST_F(CompareTest, ScaleAnswersByTheContract) {
    const Answer answer = call({"scale", "resnet20-cifar", "--table", path("t.db"), "--budget", "1.2",
                                "--out", path("larger.yaml"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto json = answer.json();
    EXPECT_EQ(json["model"], "resnet20-cifar");
    EXPECT_EQ(json["device"], "cpu");
    EXPECT_EQ(json["budget"], 1.2);
    EXPECT_EQ(json["gain_bound"], 0);
    ASSERT_EQ(json["strategies"].size(), 1U);
    const auto& row = json["strategies"][0];
    EXPECT_EQ(row["strategy"], "hacscale");
    EXPECT_EQ(row["status"], "unverified");
    EXPECT_EQ(choice_of(load_model(path("larger.yaml"))).widths, row["widths"].get<std::vector<int>>());
}

TEST_F(CompareTest, CompareShowsEveryStrategy) {
    const Answer answer =
        call({"compare", "resnet20-cifar", "--table", path("t.db"), "--no-verify", "--details"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const std::string help = call({"compare", "--help"}).out;
    for (const Strategy* usual : usual_strategies(1.0)) {
        EXPECT_THAT(answer.out, HasSubstr(std::string(usual->name)));
    }
    for (const Strategy& strategy : strategies()) {
        EXPECT_THAT(help, HasSubstr(std::string(strategy.name))) << "docs/cli.md lists the strategies";
    }
}

TEST_F(CompareTest, InnerWidthsChosenApartAreShown) {
    const std::string table = path("inner.db");
    write_synthetic_table(table, true);
    std::vector<std::string> arguments{"scale",
                                       "resnet20-cifar",
                                       "--table",
                                       table,
                                       "--budget",
                                       "1.2",
                                       "--min-inner-ratio",
                                       "0.5",
                                       "--max-inner-ratio",
                                       "1.5",
                                       "--max-depth-ratio",
                                       "1",
                                       "--inner-widths",
                                       "4"};
    std::vector<std::string> detailed = arguments;
    detailed.emplace_back("--details");
    const Answer text = call(detailed);
    ASSERT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("inner widths"));
    arguments.emplace_back("--json");
    const Answer answer = call(arguments);
    const auto row = answer.json()["strategies"][0];
    EXPECT_TRUE(answer.json()["base"]["inner_widths"].is_null());
    ASSERT_TRUE(row["inner_widths"].is_array());
    ASSERT_EQ(row["inner_widths"].size(), 3U);
    const ModelSpec model = parse_model(row["spec"].get<std::string>(), "choice");
    for (std::size_t stage = 0; stage < 3; ++stage) {
        const auto inner = row["inner_widths"][stage].get<std::vector<int>>();
        if (!inner.empty()) {
            EXPECT_EQ(inner, model.stages[stage].inner_widths);
        }
    }
}

TEST_F(CompareTest, LimitsAreKept) {
    const Answer answer = call({"scale", "resnet20-cifar", "--table", path("t.db"), "--budget", "1.5",
                                "--max-params", "280000", "--max-depth-ratio", "1", "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_LE(answer.json()["strategies"][0]["params"], 280000);
    for (const int depth : answer.json()["strategies"][0]["depths"].get<std::vector<int>>()) {
        EXPECT_LE(depth, 3);
    }
}

TEST_F(CompareTest, BadInputIsRefused) {
    const std::string table = path("t.db");
    const auto with = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{"scale", "resnet20-cifar", "--table", table};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    };
    for (const char* budget : {"0.09", "0", "-1", "nan", "1e9", "fast"}) {
        const Answer answer = with({"--budget", budget});
        EXPECT_EQ(answer.status, 2) << budget << answer.err;
        EXPECT_THAT(answer.err, HasSubstr("budget")) << budget;
    }
    EXPECT_THAT(with({"--strategy", "hacscael"}).err, HasSubstr("hacscael"));
    EXPECT_EQ(with({"--strategy", "hacscael"}).status, 2);
    EXPECT_EQ(with({"--resolutions", "0"}).status, 2);
    EXPECT_EQ(with({"--max-params", "-5"}).status, 2);
    EXPECT_EQ(with({"--gain", path("none.yaml")}).status, 2);
    EXPECT_EQ(with({"--batch", "3"}).status, 2) << "the table has no row at this batch";
    EXPECT_EQ(call({"scale", "resnet20-cifar", "--table", path("none.db")}).status, 2);
    EXPECT_EQ(call({"scale", "resnet21-cifar", "--table", table}).status, 2);
    EXPECT_EQ(call({"scale", "resnet18", "--table", table}).status, 2);
}

TEST_F(CompareTest, AnotherDevicesTableIsNotVerifiedHere) {
    const Answer answer = call({"scale", "resnet20-cifar", "--table", path("t.db"), "--verify"});
    // 3 where no backend can run at all.
    EXPECT_TRUE(answer.status == 2 || answer.status == 3) << answer.err;
    const Answer unknown =
        call({"scale", "resnet20-cifar", "--table", path("t.db"), "--verify", "--device", "tpu"});
    EXPECT_EQ(unknown.status, 3);
    EXPECT_THAT(unknown.err, HasSubstr("tpu"));
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

TEST_F(CompareTest, CommandsEndWithAnAnswerThatFits) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"compare", "resnet20-cifar", "--table", path("t.db"), "--no-verify"},
          {"scale", "resnet20-cifar", "--table", path("t.db"), "--budget", "1.2"},
          {"explain", "resnet20-cifar", "--table", path("t.db"), "--budget", "1.2"},
          {"advise", "resnet20-cifar", "--table", path("t.db")}}) {
        const Answer answer = call(arguments);
        ASSERT_TRUE(done_or_noisy(answer)) << answer.err;
        std::vector<std::string> lines;
        std::istringstream out(answer.out);
        for (std::string line; std::getline(out, line);) lines.push_back(line);
        EXPECT_LE(lines.size(), answer_lines_at_most) << answer.out;
        for (const std::string& line : lines) EXPECT_LE(width_of(line), answer_columns) << line;
        std::vector<std::string> detailed = arguments;
        detailed.emplace_back("--details");
        const std::string details = call(detailed).out;
        EXPECT_GT(details.size(), answer.out.size());
        // But for the line that tells of --details.
        lines.pop_back();
        EXPECT_THAT(details, ::testing::EndsWith(joined(lines))) << arguments.front();
    }
}

TEST_F(CompareTest, ATrainingPlanOfANetworkThatDoesNotClassifyIsRefused) {
    ModelSpec backbone = find_model("resnet20-cifar");
    backbone.head.clear();
    backbone.classes = 0;
    std::ofstream(path("backbone.yaml")) << to_yaml(backbone);
    const Answer answer = call({"compare", path("backbone.yaml"), "--table", path("t.db"), "--no-verify",
                                "--train", path("plan.yaml")});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("tells 0 classes apart"));
}

TEST_F(CompareTest, TheBudgetIsNamedAsItWasGiven) {
    for (const char* budget : {"0.07", "17", "1e9", "8 ms", "abc", "nan"}) {
        const Answer answer = call({"scale", "resnet20-cifar", "--table", path("t.db"), "--budget", budget});
        EXPECT_EQ(answer.status, 2);
        EXPECT_THAT(answer.err, HasSubstr("the latency budget is"));
    }
    EXPECT_THAT(
        call({"compare", "resnet20-cifar", "--table", path("t.db"), "--budget", "0.07", "--no-verify"}).err,
        HasSubstr("the latency budget is 0.07, expected 0.1 to 16 base latencies"));
}

TEST(VerdictText, MoreCapacityIsNotCalledDominance) {
    records::ComparisonRecord record = sample();
    records::StrategyRow& hacscale = record.strategies.back();
    hacscale.dominates = {"base"};
    std::ostringstream details;
    print_verdict(details, record);
    EXPECT_THAT(details.str(), HasSubstr("hacscale has more capacity at less latency than base\n"));
    hacscale.measured_us = record.base.measured_us;
    details.str("");
    print_verdict(details, record);
    EXPECT_THAT(details.str(), HasSubstr("hacscale has more capacity at no more latency than base\n"));
    hacscale.accuracy = records::AccuracyFigures{92.0, 0.1, 3};
    record.base.accuracy = records::AccuracyFigures{91.0, 0.1, 3};
    details.str("");
    print_verdict(details, record);
    EXPECT_THAT(details.str(), HasSubstr("hacscale dominates base\n"));
}

TEST(VerdictText, IsPrintedWithEmptyCellsForWhatIsNotKnown) {
    records::ComparisonRecord record = three_rows();
    record.strategies[0] = trained(record.strategies[0], 91.234, 0.123, 3);
    add_verdict(record);
    std::ostringstream out;
    print_verdict(out, record);
    EXPECT_THAT(out.str(), HasSubstr("hacscale dominates base, uniform\n"));
    EXPECT_THAT(out.str(), HasSubstr("dominated by no other: hacscale\n"));
    EXPECT_THAT(out.str(), HasSubstr("base equals, within noise, uniform\n"));
    EXPECT_THAT(out.str(), Not(HasSubstr("uniform equals")));
    EXPECT_THAT(out.str(), HasSubstr("91.23  0.12      3\n"));
    EXPECT_THAT(out.str(), HasSubstr("0.400\n")) << "a row without an accuracy ends with its gain";
}

}  // namespace
}  // namespace hacscale::cli
