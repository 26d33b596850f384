// importance and sensitivity, with a module that only pretends to train (tests/training/modules/fake.cpp).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/unit_scores.hpp"
#include "models/zoo/zoo.hpp"
#include "program_fixture.hpp"
#include "scaling/gain.hpp"
#include "training/load_data_set.hpp"
#include "training/recipe.hpp"
#include "training/records.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class GainCommandsTest : public ProgramTest {
protected:
    GainCommandsTest() {
        setenv("HACSCALE_MODULES", (std::filesystem::path(HACSCALE_TEST_TRAINERS) / "fake").c_str(), 1);
        setenv("HACSCALE_FAKE_LOG", path("log").c_str(), 1);
        std::filesystem::create_directory(path("cifar"));
        write("cifar/data_batch_1.bin", "");
        write("two.yaml", "name: two\nepochs: 2\nschedule: cosine\npeak_learning_rate: 0.1\n");
    }
    ~GainCommandsTest() override {
        unsetenv("HACSCALE_MODULES");
        unsetenv("HACSCALE_FAKE_LOG");
    }

    Answer sensitivity(const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"sensitivity",   "resnet20-cifar",    "--data",   path("cifar"),
                                           "--recipe",      path("two.yaml"),    "--record", path("r.db"),
                                           "--checkpoints", path("checkpoints"), "--out",    path("s.json"),
                                           "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
    std::vector<std::string> trained() {
        std::vector<std::string> runs;
        std::ifstream log(path("log"));
        for (std::string line; std::getline(log, line);) runs.push_back(line.substr(0, line.rfind(' ')));
        return runs;
    }

    const ModelSpec base_ = find_model("resnet20-cifar");
};

TEST_F(GainCommandsTest, SensitivityRecoversWhatTheTrainerFollowsAndScalingReadsIt) {
    const Answer answer = sensitivity({});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(trained().size(), 20U);  // (base, 3 widths, 3 depths, 3 combinations) x 2 seeds
    const Gain gain = load_gain({path("s.json")}, base_);
    EXPECT_EQ(gain.origin, GainOrigin::sensitivity);
    EXPECT_EQ(gain.unit, "accuracy points");
    for (std::size_t s = 0; s < 3; ++s) {
        EXPECT_NEAR(gain.stages[s].width.value, 2.0 * static_cast<double>(s + 1), 1e-6);
        EXPECT_NEAR(gain.stages[s].depth.value, 1.0, 1e-6);
        EXPECT_NEAR(gain.stages[s].width.spread, 0.0, 1e-6);
    }
    EXPECT_FALSE(gain.resolution);
    const auto json = answer.json();
    ASSERT_EQ(json["combinations"].size(), 3U);
    for (const auto& combination : json["combinations"]) {
        EXPECT_NEAR(combination["predicted"].get<double>(), combination["measured"].get<double>(), 1e-6);
    }
    EXPECT_EQ(json["left_out"].size(), 1U);
    EXPECT_EQ(json["left_out"][0]["what"], "resolution");
    EXPECT_EQ(json["provenance"]["recipe"], "two");
}

// The fake trainer scores a channel by its number, and a whole block likewise.
TEST_F(GainCommandsTest, ImportanceScoresChannelsAndBlocksForScaling) {
    const auto importance = [&](const std::string& measure) {
        return call({"importance", "resnet20-cifar", "--data", path("cifar"), "--checkpoint", path("c.pt"),
                     "--out", path("i.json"), "--scores", path("scores.json"), "--measure", measure});
    };
    ASSERT_EQ(importance("taylor").status, 0);
    const Graph graph = lower(base_);
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    const std::vector<Repeat> runs = repeats(graph);
    const ScoresFile scores = read_scores(path("scores.json"), groups, runs);
    EXPECT_EQ(scores.method, "taylor");
    int tied = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        ASSERT_EQ(scores.unit_scores[g].size(), static_cast<std::size_t>(groups[g].units()));
        int convs = 0;
        for (const int node : groups[g].producers) {
            convs += graph.nodes[static_cast<std::size_t>(node)].layer.kind == LayerKind::conv ? 1 : 0;
        }
        for (int unit = 0; unit < groups[g].units(); ++unit) {
            EXPECT_EQ(scores.unit_scores[g][static_cast<std::size_t>(unit)], convs * (1.0 + unit));
        }
        tied += convs > 1 ? 1 : 0;
    }
    EXPECT_EQ(tied, 3) << "a group a stage";
    for (std::size_t r = 0; r < runs.size(); ++r) {
        ASSERT_EQ(scores.block_scores[r].size(), static_cast<std::size_t>(runs[r].count));
        EXPECT_LT(scores.block_scores[r].front(), scores.block_scores[r].back());
    }
    const Answer growth = importance("growth");
    EXPECT_EQ(growth.status, 2);
    EXPECT_THAT(growth.err, HasSubstr("single channels"));
}

TEST_F(GainCommandsTest, MoreThreadsThanProcessorsAreRefused) {
    const Answer sensitive = sensitivity({"--threads", "4096"});
    EXPECT_EQ(sensitive.status, 2);
    EXPECT_THAT(sensitive.err, HasSubstr("4096 threads would share the "));
    EXPECT_TRUE(trained().empty());
    const Answer important = call({"importance", "resnet20-cifar", "--data", path("cifar"), "--checkpoint",
                                   path("checkpoint.pt"), "--out", path("i.json"), "--workers", "4096"});
    EXPECT_EQ(important.status, 2);
    EXPECT_THAT(important.err, HasSubstr("4096 threads would share the "));
}

TEST_F(GainCommandsTest, FinishedRunsAreNotDoneAgain) {
    ASSERT_EQ(sensitivity({"--seeds", "1"}).status, 0);
    EXPECT_EQ(trained().size(), 10U);
    EXPECT_EQ(trained()[0], "resnet20-cifar 1");
    EXPECT_EQ(trained()[1], "resnet20-cifar+stage1.width-24 1");
    ASSERT_EQ(sensitivity({}).status, 0);
    const std::vector<std::string> runs = trained();
    EXPECT_EQ(runs.size(), 20U);
    EXPECT_EQ(std::set<std::string>(runs.begin(), runs.end()).size(), 20U);
}

// The trainer's log is a pipe here, whose other end is opened only when the second run has begun: by then the first was left to others.
TEST_F(GainCommandsTest, RunsThatOthersHadAreAskedForAgainAtTheEnd) {
    const std::filesystem::path checkpoints = path("checkpoints");
    const RunKey first = run_key(base_, find_recipe(path("two.yaml")), 1, data_form(path("cifar")).hash);
    std::optional<RunLock> others = RunLock::try_lock(checkpoints / folder_name(first));
    ASSERT_TRUE(others.has_value());
    ASSERT_EQ(::mkfifo(path("log").c_str(), 0644), 0);
    int log = -1;
    std::jthread other_process([&](const std::stop_token& stop) {
        const auto runs = [&] {
            return std::ranges::distance(std::filesystem::directory_iterator(checkpoints));
        };
        while (!stop.stop_requested() && runs() < 2)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        others.reset();
        log = ::open(path("log").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    });
    const Answer answer = sensitivity({"--seeds", "1"});
    other_process.request_stop();
    other_process.join();
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["left_out"].size(), 1U) << "the resolution alone";
    std::string lines(4096, ' ');
    lines.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(log, lines.data(), lines.size()), 0)));
    ::close(log);
    EXPECT_EQ(std::ranges::count(lines, '\n'), 10);
    EXPECT_GT(lines.find("resnet20-cifar 1 "), lines.rfind("resnet20-cifar+"));
}

TEST_F(GainCommandsTest, WhenTheTimeIsUpWhatIsMissingIsNamed) {
    const Answer answer = sensitivity({"--minutes", "0.000001"});
    EXPECT_EQ(answer.status, 4);
    const auto json = answer.json();
    EXPECT_EQ(json["left_out"].size(), 21U);
    EXPECT_EQ(json["left_out"][0]["what"], "base, seed 1");
    EXPECT_THAT(json["left_out"][0]["reason"], HasSubstr("budget of 1e-06 minutes"));
    EXPECT_TRUE(json["stages"][0]["width"].is_null());
    try {
        load_gain({path("s.json")}, base_);
        ADD_FAILURE() << "a gain that was not measured was read";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("stage1, width: it was not measured"));
    }
    // The same command with time continues; what is recorded counts however little time there is.
    ASSERT_EQ(sensitivity({}).status, 0);
    EXPECT_EQ(sensitivity({"--minutes", "0.000001"}).status, 0);
    EXPECT_EQ(trained().size(), 20U);
}

// The fake trainer's accuracies follow the gain model, so sensitivities order all networks as they were
// measured.
TEST_F(GainCommandsTest, HeldOutNetworksTellHowWellTheGainOrders) {
    const Answer answer = sensitivity({"--held-out", "12", "--seeds", "1"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(trained().size(), 22U);
    const auto json = answer.json();
    ASSERT_EQ(json["held_out"].size(), 12U);
    EXPECT_EQ(json["held_out"][0]["name"], "held-out-1");
    EXPECT_EQ(json["rank_correlation"]["networks"], 12);
    EXPECT_NEAR(json["rank_correlation"]["sensitivity"].get<double>(), 1.0, 1e-9);
    EXPECT_LE(json["rank_correlation"]["capacity"].get<double>(), 1.0);
    EXPECT_TRUE(json["rank_correlation"].contains("equal"));
    EXPECT_NEAR(json["mean_error"]["sensitivity"].get<double>(), 0.0, 1e-6);
    EXPECT_GT(json["mean_error"]["capacity"].get<double>(), json["mean_error"]["sensitivity"].get<double>());
    EXPECT_NO_THROW(load_gain({path("s.json")}, base_)) << "scaling reads the file with its checks";
    EXPECT_EQ(sensitivity({"--held-out", "-1"}).status, 2);
}

TEST_F(GainCommandsTest, OnlyTheStagesThatWereAskedAreTrained) {
    const Answer answer = sensitivity({"--stages", "stage2,stage3", "--seeds", "1"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(trained().size(), 8U);
    EXPECT_TRUE(answer.json()["stages"][0]["width"].is_null());
    EXPECT_EQ(answer.json()["left_out"][0]["what"], "stage1.width");
    EXPECT_EQ(sensitivity({"--stages", "stage9"}).status, 2);
}

TEST_F(GainCommandsTest, ImportanceIsWrittenAsScalingReadsIt) {
    const std::vector<std::string> arguments{
        "importance",   "resnet20-cifar", "--checkpoint", path("c"),   "--data", path("cifar"), "--out",
        path("i.json"), "--measure",      "growth",       "--batches", "5",      "--json"};
    const Answer answer = call(arguments);
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["method"], "growth");
    EXPECT_EQ(answer.json()["provenance"]["batches"], 5);
    const Gain gain = load_gain({path("i.json")}, base_);
    EXPECT_EQ(gain.origin, GainOrigin::importance);
    EXPECT_GT(gain.stages[2].width.value, gain.stages[0].width.value);

    EXPECT_EQ(call({"importance", "resnet20-cifar", "--checkpoint", path("c"), "--data", path("cifar"),
                    "--out", path("i.json"), "--measure", "hunch"})
                  .status,
              2);
    EXPECT_EQ(call({"importance", "resnet20-cifar", "--checkpoint", path("c"), "--data", path("nowhere"),
                    "--out", path("i.json")})
                  .status,
              3);
}

}  // namespace
}  // namespace hacscale::cli
