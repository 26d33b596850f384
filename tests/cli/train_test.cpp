// The training commands, with a module that only pretends to train (tests/training/modules/fake.cpp).
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/train/train_run.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class TrainTest : public ProgramTest {
protected:
    TrainTest() {
        setenv("HACSCALE_MODULES", (std::filesystem::path(HACSCALE_TEST_TRAINERS) / "fake").c_str(), 1);
        setenv("HACSCALE_FAKE_LOG", path("log").c_str(), 1);
        // The fake trainer reads no images; the folder alone names the data.
        std::filesystem::create_directory(path("cifar"));
        write("cifar/data_batch_1.bin", "");
        write("short2.yaml", "name: two\nepochs: 2\nschedule: cosine\npeak_learning_rate: 0.1\n");
    }
    ~TrainTest() override {
        unsetenv("HACSCALE_MODULES");
        unsetenv("HACSCALE_FAKE_LOG");
    }

    Answer train(std::vector<std::string> more) {
        std::vector<std::string> arguments{"train",         "--record",          path("r.db"),
                                           "--checkpoints", path("checkpoints"), "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        if (std::ranges::find(more, "--data") == more.end()) {
            arguments.insert(arguments.end(), {"--data", path("cifar")});
        }
        return call(arguments);
    }
    std::string plan(const std::string& seeds) {
        return write("plan.yaml", "name: p\nmodels: [resnet20-cifar, resnet56-cifar]\nseeds: [" + seeds +
                                      "]\nrecipe: short2.yaml\ndata: cifar\nrecord: r.db\n"
                                      "checkpoints: checkpoints\n");
    }
    // How often each "MODEL SEED" was trained.
    std::map<std::string, int> trained() {
        std::map<std::string, int> counts;
        std::ifstream log(path("log"));
        for (std::string line; std::getline(log, line);) ++counts[line.substr(0, line.rfind(' '))];
        return counts;
    }
};

TEST_F(TrainTest, ARunThatBeginsWithWeightsIsAnotherOne) {
    const ModelSpec model = find_model("resnet8-cifar");
    const Graph graph = lower(model);
    write_state_dict(path("w.safetensors"), graph, unnormalized(random_weights(graph, 1)));
    write_state_dict(path("v.safetensors"), graph, unnormalized(random_weights(graph, 2)));
    const auto run_of = [&](const std::vector<std::string>& start) {
        std::vector<std::string> words{"resnet8-cifar", "--recipe", path("short2.yaml")};
        words.insert(words.end(), start.begin(), start.end());
        const Answer answer = train(words);
        EXPECT_EQ(answer.status, 0) << answer.err;
        return answer.json()["runs"][0];
    };
    const auto random = run_of({});
    const auto tuned = run_of({"--start", path("w.safetensors")});
    EXPECT_TRUE(random["start_hash"].is_null());
    EXPECT_EQ(tuned["status"], "recorded");
    EXPECT_NE(tuned["checkpoints"], random["checkpoints"]);
    EXPECT_EQ(run_of({"--start", path("w.safetensors")})["status"], "was_there");
    EXPECT_EQ(run_of({"--start", path("v.safetensors")})["status"], "recorded");
    EXPECT_EQ(trained().at("resnet8-cifar 1"), 3);

    const Answer other = train({"resnet20-cifar", "--start", path("w.safetensors")});
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.err, HasSubstr("expected the tensor stage1.block2.conv1.weight"));
    EXPECT_EQ(train({"--plan", plan("1"), "--start", path("w.safetensors")}).status, 2);
}

TEST_F(TrainTest, RecordsARunOnce) {
    const std::vector<std::string> one{"resnet20-cifar", "--recipe", path("short2.yaml"), "--seed", "3"};
    const Answer first = train(one);
    ASSERT_EQ(first.status, 0) << first.err;
    const auto run = first.json()["runs"][0];
    EXPECT_EQ(run["status"], "recorded");
    EXPECT_NEAR(run["test_accuracy"].get<double>(), 0.92, 1e-9);
    EXPECT_EQ(run["device"], "abacus on cpu");
    EXPECT_THAT(first.err, HasSubstr("epoch 1 of 2"));
    const Answer again = train(one);
    EXPECT_EQ(again.status, 0);
    EXPECT_EQ(again.json()["runs"][0]["status"], "was_there");
    EXPECT_EQ(trained().at("resnet20-cifar 3"), 1);

    const Answer list = call({"train", "--list", "--record", path("r.db"), "--json"});
    EXPECT_EQ(list.json()["records"].size(), 1U);
    EXPECT_EQ(list.json()["summaries"][0]["seeds"], 1);
    EXPECT_TRUE(list.json()["summaries"][0]["deviation_test_accuracy"].is_null());
    const std::string answer = call({"train", "--list", "--record", path("r.db")}).out;
    EXPECT_EQ(answer,
              "test accuracy in %, mean +- standard deviation (seeds)\ntwo, abacus on cpu:\n"
              "  92.00         (1)  resnet20-cifar\nevery run: --details\n");
    EXPECT_THAT(call({"train", "--list", "--details", "--record", path("r.db")}).out, HasSubstr("finished"));
    EXPECT_EQ(call({"train", "--details"}).status, 2);
}

TEST_F(TrainTest, MoreThreadsThanProcessorsAreRefusedBeforeAnythingIsTrained) {
    const Answer answer = train({"resnet20-cifar", "--recipe", path("short2.yaml"), "--threads", "4096"});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("4096 threads would share the "));
    EXPECT_TRUE(trained().empty());
}

TEST_F(TrainTest, AProcessThatDoesNotLeadNeitherDecidesNorRecords) {
    const std::vector<std::string> one{"resnet20-cifar", "--recipe", path("short2.yaml")};
    // Its leader holds the lock, and says that the run is to be trained.
    setenv("HACSCALE_FAKE_LEADER", "-1", 1);
    const Answer together = train(one);
    EXPECT_EQ(together.status, 0) << together.err;
    EXPECT_EQ(trained().at("resnet20-cifar 1"), 1);
    EXPECT_THAT(together.json()["runs"][0]["reason"].get<std::string>(), HasSubstr("rank 0"));
    EXPECT_EQ(call({"train", "--list", "--record", path("r.db"), "--json"}).json()["records"].size(), 0U);
    // Or that it was there before.
    setenv("HACSCALE_FAKE_LEADER", std::to_string(static_cast<int>(RunStatus::was_there)).c_str(), 1);
    EXPECT_EQ(train(one).json()["runs"][0]["status"], "was_there");
    EXPECT_EQ(trained().at("resnet20-cifar 1"), 1);
    unsetenv("HACSCALE_FAKE_LEADER");
}

TEST_F(TrainTest, TwoProcessesShareAPlanAndDoNoRunTwice) {
    const std::string file = plan("1, 2, 3, 4, 5");
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            const Answer answer = call({"train", "--plan", file, "--json"});
            _exit(answer.status);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    const auto counts = trained();
    EXPECT_EQ(counts.size(), 10U);
    for (const auto& [run, count] : counts) EXPECT_EQ(count, 1) << run;
    EXPECT_EQ(call({"train", "--list", "--record", path("r.db"), "--json"}).json()["records"].size(), 10U);
}

TEST_F(TrainTest, AFailedRunDoesNotStopAPlanAndIsNotRecorded) {
    const Answer answer = call({"train", "--plan", plan("13, 1"), "--json"});
    EXPECT_EQ(answer.status, 4);
    std::multiset<std::string> states;
    const auto json = answer.json();
    for (const auto& run : json["runs"]) states.insert(run["status"]);
    EXPECT_EQ(states, (std::multiset<std::string>{"failed", "failed", "recorded", "recorded"}));
    EXPECT_THAT(answer.err, HasSubstr("no number any more"));
    EXPECT_EQ(train({"resnet20-cifar", "--seed", "13"}).status, 1);
}

// Data sets of other forms, of files that the fake trainer does not read.
class OtherDataTest : public TrainTest {
protected:
    OtherDataTest() {
        std::filesystem::create_directory(path("cifar100"));
        write("cifar100/train.bin", "");
        for (const char* part : {"train", "val"}) {
            for (const char* name : {"a", "b", "c"}) {
                const std::string folder = std::string("images/") + part + "/" + name;
                std::filesystem::create_directories(path(folder));
                write(folder + "/1.jpg", name);
            }
        }
    }
    Answer train_on(const std::string& data, const std::string& model, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"train",    model,        "--data",        data,
                                           "--record", path("r.db"), "--checkpoints", path("checkpoints"),
                                           "--json"};
        if (more.empty()) more = {"--recipe", path("short2.yaml")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
};

TEST_F(OtherDataTest, TheHeadFollowsTheDataAndTheRecordSaysSo) {
    const Answer answer = train_on(path("cifar100"), "resnet20-cifar");
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto run = answer.json()["runs"][0];
    EXPECT_EQ(run["model"], "resnet20-cifar-100-classes");
    EXPECT_THAT(answer.err, HasSubstr("100 classes of CIFAR-100"));
    // The run's folder has the network that was trained, and training it by its file is the same run.
    const std::string folder = run["checkpoints"];
    EXPECT_EQ(find_model(folder + "/model.yaml").classes, 100);
    const Answer again = train_on("cifar100:" + path("cifar100"), folder + "/model.yaml",
                                  {"--recipe", folder + "/recipe.yaml"});
    EXPECT_EQ(again.json()["runs"][0]["status"], "was_there") << again.err;
    const Answer on_images =
        train_on(path("images"), "resnet20-cifar", {"--recipe", path("short2.yaml"), "--resolution", "24"});
    ASSERT_EQ(on_images.status, 0) << on_images.err;
    EXPECT_EQ(on_images.json()["runs"][0]["model"], "resnet20-cifar-24-pixels-3-classes");
}

TEST_F(OtherDataTest, ModelsThatDoNotFitAreRefusedBeforeAnythingIsTrained) {
    const Answer large = train_on(path("cifar"), "mobilenetv2-0.35");
    EXPECT_EQ(large.status, 2);
    EXPECT_THAT(large.err, HasSubstr("--resolution 32"));
    const Answer unknown = train_on(path(""), "resnet20-cifar");
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.err, HasSubstr("train/ and val/"));
    EXPECT_EQ(train({"--plan", plan("1"), "--resolution", "32"}).status, 2);
    EXPECT_TRUE(trained().empty());
}

TEST_F(TrainTest, TrainsForAsManyFlopsAsAnotherNetwork) {
    const std::vector<std::string> base{"resnet20-cifar", "--recipe", path("short2.yaml")};
    ASSERT_EQ(train(base).status, 0);
    std::vector<std::string> longer = base;
    longer.insert(longer.end(), {"--match-flops", "resnet56-cifar"});
    const Answer matched = train(longer);
    ASSERT_EQ(matched.status, 0) << matched.err;
    const auto run = matched.json()["runs"][0];
    EXPECT_EQ(run["status"], "recorded");
    EXPECT_EQ(run["recipe"], "two-flops-of-resnet56-cifar");
    const double ratio = static_cast<double>(lower(find_model("resnet56-cifar")).macs()) /
                         static_cast<double>(lower(find_model("resnet20-cifar")).macs());
    EXPECT_EQ(run["epochs"], std::lround(2.0 * ratio));
    longer.back() = "resnet20-cifar";
    EXPECT_EQ(train(longer).json()["runs"][0]["status"], "was_there");
    longer.back() = "resnet57-cifar";
    EXPECT_EQ(train(longer).status, 2);
    // In a plan each network has epochs of its own.
    std::ofstream(plan("1"), std::ios::app) << "match_flops: resnet56-cifar\n";
    const auto runs = call({"train", "--plan", path("plan.yaml"), "--json"}).json()["runs"];
    EXPECT_EQ(runs[0]["epochs"], std::lround(2.0 * ratio));
    EXPECT_EQ(runs[1]["epochs"], 2);
}

TEST_F(TrainTest, SaysWhatIsMissingOrWrong) {
    EXPECT_EQ(train({"resnet20-cifr"}).status, 2);
    EXPECT_EQ(train({"resnet20-cifar", "--recipe", "shrt"}).status, 2);
    EXPECT_EQ(call({"train", "resnet20-cifar"}).status, 2);
    EXPECT_EQ(call({"train", "--list"}).status, 2);
    EXPECT_EQ(train({"--plan", plan("1"), "--seed", "2"}).status, 2);
    const Answer no_data =
        call({"train", "resnet20-cifar", "--data", path("nowhere"), "--record", path("r.db")});
    EXPECT_EQ(no_data.status, 3);
    EXPECT_THAT(no_data.err, HasSubstr("scripts/get-data"));
    setenv("HACSCALE_MODULES", path("nowhere").c_str(), 1);
    const Answer no_module = train({"resnet20-cifar"});
    EXPECT_EQ(no_module.status, 3);
    EXPECT_THAT(no_module.err, HasSubstr("libtorch-dev"));
    EXPECT_FALSE(std::filesystem::exists(path("r.db")));
}

TEST_F(TrainTest, WeightsAreExportedAndRefusedForAnotherModel) {
    const std::string file = path("w.safetensors");
    const Answer written =
        call({"export-weights", "resnet20-cifar", "--checkpoint", path("c"), "--out", file, "--json"});
    ASSERT_EQ(written.status, 0) << written.err;
    EXPECT_GT(written.json()["numbers"].get<int>(), 200'000);
    const Answer other = call({"import-weights", "resnet56-cifar", "--weights", file});
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.err, HasSubstr("weights of the model resnet20-cifar"));
    const Answer run =
        call({"import-weights", "resnet20-cifar", "--weights", file, "--json", "--batch", "2"});
    if (run.status == 3) GTEST_SKIP() << "no backend beside the tests: " << run.err;
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_TRUE(run.json()["validation_accuracy"].is_null());
}

}  // namespace
}  // namespace hacscale::cli
