// Suites end to end, whole and in shards.
#include <gmock/gmock.h>

#include <csignal>
#include <functional>

#include "harness/suite/run_suite.hpp"
#include "models/formats/formats.hpp"
#include "run_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(RunTest, EveryStateHasItsRecordsAndOnePageLeadsToThem) {
    const std::string file =
        suite("models: [one.yaml]\nbatches: [1, 2]\ncaches: [network, warm]\ndevices: all\n");
    const Answer answer = call({"run", file, "--out", path("out"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["runs"].size() % 4, 0U);
    EXPECT_TRUE(exists("out/cpu/table.db"));
    for (const char* state :
         {"batch1-f32-network", "batch1-f32-warm", "batch2-f32-network", "batch2-f32-warm"}) {
        for (const char* record : {"provenance.json", "table.json", "compare-one-1.json", "report.html"}) {
            EXPECT_TRUE(exists(std::string("out/cpu/") + state + "/" + record)) << state << " " << record;
        }
        EXPECT_THAT(content("out/index.html"),
                    HasSubstr(std::string("href=\"cpu/") + state + "/report.html\""));
    }
    std::stringstream page;
    page << std::ifstream(path("out/index.html")).rdbuf();
    EXPECT_THAT(page.str(), HasSubstr("href=\"side-by-side.html\""));
    EXPECT_TRUE(exists("out/side-by-side.html"));
    EXPECT_THAT(answer.err, AllOf(HasSubstr("[1/8] cpu batch 1 f32 network"), HasSubstr("left in all")));
    EXPECT_EQ(call({"report", path("out/cpu/batch2-f32-warm")}).status, 0);
}

TEST_F(RunTest, ShardsMergedAreTheRowsOfOneRun) {
    // A sweep that runs out of time leaves widths out, and which ones depends on the machine. This one is
    // over when all widths are measured and eight networks predicted, at whatever tolerance.
    const std::string file = suite(
        "models: [one.yaml, two.yaml]\nverify: [three.yaml]\nbatches: [1, 2]\ncaches: [warm, network]\n"
        "tolerance: 1\n",
        "small", "60");
    ASSERT_EQ(call({"run", file, "--out", path("whole")}).status, 0);
    std::vector<std::string> merge{"table", "merge", "--out", path("parts/table.db"), "--tolerance", "0.9"};
    for (const char* shard : {"1/3", "2/3", "3/3"}) {
        const Answer answer = call({"run", file, "--out", path("parts"), "--shard", shard, "--json"});
        ASSERT_EQ(answer.status, 0) << answer.err;
        EXPECT_EQ(answer.json()["shard"], shard);
        EXPECT_EQ(answer.json()["files"].size(), 0U) << "a part has no report";
        merge.push_back(answer.json()["tables"][0]);
    }
    EXPECT_TRUE(exists("parts/shard-2-of-3/table.db"));
    const Answer merged = call(merge);
    ASSERT_EQ(merged.status, 0) << merged.err;
    EXPECT_EQ(keys("parts/table.db"), keys("whole/table.db"));

    // What the shards measured is the whole run's, which then only compares and reports.
    const Answer plan = call({"run", file, "--out", path("parts"), "--dry-run", "--json"});
    ASSERT_EQ(plan.status, 0) << plan.err;
    const nlohmann::json planned = plan.json();
    for (const auto& state : planned["devices"][0]["states"]) {
        for (const auto& network : state["networks"]) {
            EXPECT_EQ(network["rows_new"], 0);
            EXPECT_GT(network["rows_known"], 0);
        }
    }
    EXPECT_LT(planned["seconds_expected"], planned["seconds_at_most"]);
    const Answer report = call({"run", file, "--out", path("parts"), "--json"});
    EXPECT_EQ(report.status, 0) << report.err;
    EXPECT_EQ(keys("parts/table.db"), keys("whole/table.db"));
}

TEST_F(RunTest, AFolderOfAnotherSuiteIsLeftAlone) {
    ASSERT_EQ(call({"run", suite("models: [one.yaml]\ncache: warm\n"), "--out", path("out")}).status, 0);
    const auto before = std::filesystem::last_write_time(path("out/provenance.json"));
    const std::string other = suite("models: [two.yaml]\ncache: warm\n", "other");
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{}, std::vector<std::string>{"--dry-run"}, {"--shard", "1/2"}}) {
        std::vector<std::string> arguments{"run", other, "--out", path("out")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Answer answer = call(arguments);
        EXPECT_EQ(answer.status, 2);
        EXPECT_THAT(answer.err, AllOf(HasSubstr("the suite small"), HasSubstr("other")));
    }
    const Answer changed = call({"run", suite("models: [two.yaml]\ncache: warm\n"), "--out", path("out")});
    EXPECT_EQ(changed.status, 2);
    EXPECT_THAT(changed.err, HasSubstr("before it was changed"));
    EXPECT_EQ(std::filesystem::last_write_time(path("out/provenance.json")), before);
}

TEST_F(RunTest, TheTimeLimitEndsItWithAReport) {
    const std::string file =
        suite("models: [one.yaml, two.yaml]\nbudgets: [1, 1.5]\ntotal_minutes: 0.00001\n");
    const Answer answer = call({"run", file, "--out", path("out"), "--json"});
    EXPECT_EQ(answer.status, 4);
    EXPECT_FALSE(answer.json()["complete"].get<bool>());
    EXPECT_THAT(answer.err, HasSubstr("the suite's time limit came before"));
    EXPECT_TRUE(exists("out/report.html"));
    EXPECT_THAT(call({"run", file, "--out", path("out-text")}).out, HasSubstr("nothing was compared yet"));
    // With more time, the same folder is resumed.
    const Answer again = call(
        {"run", suite("models: [one.yaml, two.yaml]\nbudgets: [1, 1.5]\n"), "--out", path("out"), "--json"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.json()["comparisons"].size(), 4U);
}

TEST_F(RunTest, AnInterruptedShardIsUnfinishedUntilItIsRunAgain) {
    const std::string file = suite("models: [one.yaml]\ncache: warm\n");
    const std::vector<std::string> shard{"run", file, "--out", path("out"), "--shard", "1/1"};
    catch_interrupts();
    std::raise(SIGTERM);
    EXPECT_EQ(call(shard).status, 143);
    clear_interrupt();
    const auto finished = [&] {
        std::ifstream note(path("out/shard-1-of-1/suite.json"));
        return nlohmann::json::parse(note)["finished"].get<bool>();
    };
    EXPECT_FALSE(finished());
    ASSERT_EQ(call(shard).status, 0);
    EXPECT_TRUE(finished());
}

TEST_F(RunTest, BadRequestsAreRefusedBeforeAnythingIsWritten) {
    const std::string file = suite("models: [one.yaml]\n");
    EXPECT_EQ(call({"run", file, "--out", path("out"), "--shard", "3/2"}).status, 2);
    EXPECT_EQ(call({"run", file, "--out", path("out"), "--shard", "all"}).status, 2);
    const Answer device =
        call({"run", suite("models: [one.yaml]\ndevices: [cpu, cuda:99]\n"), "--out", path("out")});
    EXPECT_EQ(device.status, 3);
    EXPECT_THAT(device.err, HasSubstr("cuda:99"));
    EXPECT_EQ(call({"run", suite("models: [four.yaml]\n"), "--out", path("out")}).status, 2);
    EXPECT_FALSE(exists("out"));
}

TEST_F(RunTest, EverySuiteThatComesWithTheProgramIsPlannedWithoutItsDevice) {
    for (const char* name : {"quickstart", "cifar", "imagenet-mobile", "imagenet-server", "full-gpu"}) {
        const std::string suite = std::string(HACSCALE_SOURCE_DIR "/bench/suites/") + name + ".yaml";
        const Answer answer = call({"run", suite, "--dry-run", "--json", "--out", path("out")});
        ASSERT_EQ(answer.status, 0) << answer.err;
        const nlohmann::json plan = answer.json();
        EXPECT_EQ(plan["suite"], name);
        EXPECT_GT(plan["seconds_at_most"], 0.0);
        const auto& states = plan["devices"][0]["states"];
        EXPECT_EQ(states.size(), states_of(load_suite(suite)).size());
        const Answer text = call({"run", suite, "--dry-run", "--out", path("out")});
        EXPECT_THAT(text.out, ::testing::AllOf(HasSubstr("nothing is measured now"), HasSubstr("at most")));
        EXPECT_FALSE(std::filesystem::exists(path("out"))) << "nothing is written";
    }
}

// Edits a network's file as soon as the run says something.
class EditingEvents : public SilentEvents {
public:
    explicit EditingEvents(std::function<void()> edit) : edit_(std::move(edit)) {}
    void note(const std::string&) override { edit_(); }

private:
    std::function<void()> edit_;
};

TEST_F(RunTest, ANetworkThatIsEditedDuringARunIsMeasuredAsItWas) {
    const Suite edited = load_suite(suite("models: [one.yaml]\n"));
    EditingEvents events([this] { network("one", 32); });
    const SuiteOutcome outcome = run_suite(edited, path("out"), {}, events);
    ASSERT_EQ(outcome.comparisons().size(), 1U);
    EXPECT_EQ(outcome.comparisons().front()->base.choice->widths, (std::vector<int>{8}));
    EXPECT_EQ(load_model(path("one.yaml")).stages.front().width, 32);
}

}  // namespace
}  // namespace hacscale::cli
