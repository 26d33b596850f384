#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "tests/temp_folder.hpp"
#include "tests/training/torch/made_up_data.hpp"
#include "tests/training/torch/module_fixture.hpp"
#include "training/trainer.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

constexpr const char* tiny_model = R"(name: tiny
source: made up
input: {channels: 3, resolution: 32}
classes: 10
stem:
  - conv: {width: 8, kernel: 3, stride: 4}
stages:
  - {name: stage1, block: basic, width: 8, depth: 1, stride: 1}
  - {name: stage2, block: inverted_residual, width: 16, depth: 2, stride: 2, expansion: 2}
head:
  - global_avg_pool
  - linear: {}
)";

// Nothing in it looks at more than one image at a time, so that parts of a batch make what the batch makes.
constexpr const char* model_without_batch_norm = R"(name: plain
source: made up
input: {channels: 3, resolution: 32}
classes: 10
stem:
  - conv: {width: 8, kernel: 3, stride: 4, batch_norm: false, bias: true}
  - conv: {width: 8, kernel: 3, stride: 2, batch_norm: false, bias: true}
stages: []
head:
  - global_avg_pool
  - linear: {}
)";

// Every kind of layer and every activation.
constexpr const char* model_of_all_kinds = R"(name: all-kinds
source: made up
input: {channels: 3, resolution: 32}
classes: 10
stem:
  - conv: {width: 8, kernel: 3, stride: 2, activation: hard_swish}
  - max_pool: {kernel: 3, stride: 2, padding: 1}
stages:
  - {name: stage1, block: inverted_residual, width: 8, depth: 1, stride: 1, expansion: 2, activation: relu6,
     squeeze_excite: {ratio: 0.5, gate: hard_sigmoid}}
  - {name: stage2, block: inverted_residual, width: 8, depth: 1, stride: 2, expansion: 2, activation: silu,
     squeeze_excite: {ratio: 0.5, activation: silu, gate: sigmoid}}
  - {name: stage3, block: preact_basic, width: 16, depth: 1, stride: 1, activation: hard_sigmoid}
head:
  - norm: {activation: relu}
  - global_avg_pool
  - linear: {width: 16, activation: sigmoid}
  - linear: {}
)";

constexpr const char* tiny_recipe = R"(name: tiny
epochs: 3
batch: 32
schedule: one_cycle
peak_learning_rate: 0.1
warmup_epochs: 1
ema_decay: 0.9
label_smoothing: 0.1
precision: f32
)";

struct Ended {
    int status = -1;  // exit status; 128 + the signal for a process that was killed
    std::string errors;
};

class TrainingRunTest : public TrainerModuleTest {
protected:
    void SetUp() override {
        TrainerModuleTest::SetUp();
        if (IsSkipped()) return;
        testing_data::write_made_up_data(folder_ / "data", 40);
        write("model.yaml", tiny_model);
        write("recipe.yaml", tiny_recipe);
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }

    pid_t start(const std::string& run, const std::vector<std::string>& variables, int seed = 1) const {
        std::vector<std::string> words{HACSCALE_TRAINER_PROCESS,           (folder_ / "model.yaml").string(),
                                       (folder_ / "recipe.yaml").string(), (folder_ / "data").string(),
                                       (folder_ / run).string(),           std::to_string(seed),
                                       (folder_ / (run + ".out")).string()};
        std::vector<std::string> environment = variables;
        for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
        const auto pointers = [](std::vector<std::string>& texts) {
            std::vector<char*> result;
            for (std::string& text : texts) result.push_back(text.data());
            result.push_back(nullptr);
            return result;
        };
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const std::string errors = (folder_ / (run + ".err")).string();
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, 0600);
        pid_t child = -1;
        EXPECT_EQ(posix_spawn(&child, words[0].c_str(), &actions, nullptr, pointers(words).data(),
                              pointers(environment).data()),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        return child;
    }

    Ended finish(pid_t child, const std::string& run) const {
        int status = 0;
        waitpid(child, &status, 0);
        return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), read(run + ".err")};
    }

    Ended train(const std::string& run, const std::vector<std::string>& variables = {}, int seed = 1) const {
        return finish(start(run, variables, seed), run);
    }

    std::string read(const std::string& name) const {
        std::ifstream file(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    // What trainer_process wrote: three accuracies, then weights.
    std::vector<float> weights(const std::string& run) const {
        const std::string bytes = read(run + ".out").substr(3 * sizeof(double));
        std::vector<float> values(bytes.size() / sizeof(float));
        std::memcpy(values.data(), bytes.data(), bytes.size());
        return values;
    }
    std::vector<EpochFigures> learning_curve(const std::string& run) const {
        const std::string bytes = read(run + ".out.curve");
        std::vector<EpochFigures> curve(bytes.size() / sizeof(EpochFigures));
        std::memcpy(curve.data(), bytes.data(), bytes.size());
        return curve;
    }
    double test_accuracy(const std::string& run) const {
        double value = 0.0;
        std::memcpy(&value, read(run + ".out").data() + 2 * sizeof(double), sizeof value);
        return value;
    }

    const testing::TempFolder folder_;
};

TEST_F(TrainingRunTest, LearnsAndRepeatsItself) {
    write("recipe.yaml",
          std::string(tiny_recipe) + "augmentation: {flip: true, crop_padding: 0, cutout: 0}\n");
    ASSERT_EQ(train("one").status, 0) << read("one.err");
    ASSERT_EQ(train("two").status, 0) << read("two.err");
    ASSERT_EQ(train("other", {}, 2).status, 0);
    EXPECT_FALSE(read("one.out").empty());
    EXPECT_EQ(read("one.out"), read("two.out"));
    EXPECT_NE(weights("one"), weights("other"));
    EXPECT_GT(test_accuracy("one"), 0.3);  // a guess is right in 0.1
    const std::vector<EpochFigures> curve = learning_curve("one");
    ASSERT_EQ(curve.size(), 3U);
    EXPECT_LT(curve.back().loss, curve.front().loss);
    EXPECT_GT(curve.back().train_accuracy, curve.front().train_accuracy);
    EXPECT_GT(curve.back().validation_accuracy, 0.3);
}

TEST_F(TrainingRunTest, ARunThatWasKilledEndsAsOneThatWasNot) {
    ASSERT_EQ(train("whole").status, 0) << read("whole.err");
    // In the first epoch, before there is a checkpoint; in the second; and right at its end.
    for (const char* at : {"TRAINER_KILL_AT=2", "TRAINER_KILL_AT=8", "TRAINER_KILL_AT=3"}) {
        ASSERT_EQ(train("killed", {at}).status, 128 + SIGKILL) << read("killed.err");
    }
    ASSERT_EQ(train("killed").status, 0) << read("killed.err");
    EXPECT_EQ(read("whole.out"), read("killed.out"));
    EXPECT_EQ(learning_curve("whole").size(), 3U);
    EXPECT_EQ(learning_curve("whole"), learning_curve("killed"));
    for (const auto& entry : fs::directory_iterator(folder_ / "killed")) {
        EXPECT_EQ(entry.path().filename(), "checkpoint.pt");
    }
}

TEST_F(TrainingRunTest, ARunThatWasStoppedGoesOn) {
    ASSERT_EQ(train("whole").status, 0);
    ASSERT_EQ(train("stopped", {"TRAINER_STOP_AT=7"}).status, 5);
    ASSERT_EQ(train("stopped").status, 0);
    EXPECT_EQ(read("whole.out"), read("stopped.out"));
}

TEST_F(TrainingRunTest, ARunBeginsWithTheWeightsThatItIsGiven) {
    ASSERT_EQ(train("base").status, 0) << read("base.err");
    write("recipe.yaml",
          "name: still\nepochs: 2\nbatch: 32\nschedule: cosine\npeak_learning_rate: 0.0000001\nprecision: "
          "f32\n");
    const std::string from = "TRAINER_START=" + (folder_ / "base").string();
    ASSERT_EQ(train("tuned", {from, "TRAINER_KILL_AT=8"}).status, 128 + SIGKILL);
    EXPECT_NE(train("tuned").status, 0);
    EXPECT_NE(read("tuned.err").find("starting weights"), std::string::npos) << read("tuned.err");
    ASSERT_EQ(train("tuned", {from}).status, 0) << read("tuned.err");
    const ModelSpec model = load_model(folder_ / "model.yaml");
    const std::vector<TrainedLayer> base = trainer().trained_layers(model, folder_ / "base");
    const std::vector<TrainedLayer> tuned = trainer().trained_layers(model, folder_ / "tuned");
    for (std::size_t n = 0; n < base.size(); ++n) {
        for (std::size_t i = 0; i < base[n].products.weights.size(); ++i) {
            ASSERT_NEAR(tuned[n].products.weights[i], base[n].products.weights[i], 1e-4);
        }
        for (std::size_t i = 0; i < base[n].norm.scale.size(); ++i) {
            ASSERT_NEAR(tuned[n].norm.scale[i], base[n].norm.scale[i], 1e-4);
        }
    }
}

TEST_F(TrainingRunTest, AFinishedRunAnswersAgain) {
    ASSERT_EQ(train("run").status, 0);
    const std::string first = read("run.out");
    ASSERT_EQ(train("run").status, 0);
    EXPECT_EQ(first, read("run.out"));
}

TEST_F(TrainingRunTest, ACheckpointOfAnotherRunIsRefused) {
    ASSERT_EQ(train("run").status, 0);
    Ended other = train("run", {}, 2);
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("seed 1 instead of 2"), std::string::npos) << other.errors;
    write("recipe.yaml", std::string(tiny_recipe) + "momentum: 0.8\n");
    other = train("run");
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("recipe"), std::string::npos) << other.errors;
    write("recipe.yaml", tiny_recipe);
    write("model.yaml", model_without_batch_norm);
    other = train("run");
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("model"), std::string::npos) << other.errors;
    write("model.yaml", tiny_model);
    testing_data::write_made_up_data(folder_ / "data", 40, 2);
    other = train("run");
    EXPECT_EQ(other.status, 2);
    EXPECT_NE(other.errors.find("data"), std::string::npos) << other.errors;
}

TEST_F(TrainingRunTest, ALossThatIsNoNumberStopsTheRun) {
    // Without batch-norm, which would keep the outputs in bounds whatever the weights grow to.
    write("model.yaml", model_without_batch_norm);
    write("recipe.yaml",
          "name: wild\nepochs: 4\nbatch: 32\nschedule: cosine\npeak_learning_rate: 10\nwarmup_epochs: 0\n"
          "weight_decay: 1\nprecision: f32\n");
    const Ended ended = train("wild");
    EXPECT_EQ(ended.status, 1) << ended.errors;
    EXPECT_NE(ended.errors.find("no finite number"), std::string::npos) << ended.errors;
}

TEST_F(TrainingRunTest, AModelForOtherImagesIsRefused) {
    std::string model = tiny_model;
    model.replace(model.find("resolution: 32"), 14, "resolution: 64");
    write("model.yaml", model);
    const Ended ended = train("run");
    EXPECT_EQ(ended.status, 2);
    EXPECT_NE(ended.errors.find("3x64x64"), std::string::npos) << ended.errors;
}

TEST_F(TrainingRunTest, Bf16LearnsToo) {
    std::string recipe = tiny_recipe;
    recipe.replace(recipe.find("f32"), 3, "bf16");
    write("recipe.yaml", recipe + "augmentation: {flip: true, crop_padding: 0, cutout: 0}\n");
    ASSERT_EQ(train("run").status, 0) << read("run.err");
    EXPECT_GT(test_accuracy("run"), 0.3);
    // Where oneDNN has no bf16, the products are in f32.
    ASSERT_EQ(train("older", {"ONEDNN_MAX_CPU_ISA=AVX2"}).status, 0) << read("older.err");
    EXPECT_GT(test_accuracy("older"), 0.3);
}

TEST_F(TrainingRunTest, EveryKindOfLayerTrainsInBothPrecisions) {
    write("model.yaml", model_of_all_kinds);
    ASSERT_EQ(train("f32").status, 0) << read("f32.err");
    std::string recipe = tiny_recipe;
    recipe.replace(recipe.find("f32"), 3, "bf16");
    write("recipe.yaml", recipe);
    ASSERT_EQ(train("bf16").status, 0) << read("bf16.err");
}

TEST_F(TrainingRunTest, TwoProcessesMakeWhatOneMakes) {
    write("model.yaml", model_without_batch_norm);
    ASSERT_EQ(train("alone").status, 0) << read("alone.err");
    const std::string port = "MASTER_PORT=" + std::to_string(20000 + ::getpid() % 20000);
    const std::vector<std::string> both{"WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1", port};
    const auto with_rank = [&](const char* rank) {
        std::vector<std::string> variables = both;
        variables.emplace_back(rank);
        return variables;
    };
    const pid_t second = start("together1", with_rank("RANK=1"));
    const Ended first = train("together", with_rank("RANK=0"));
    const Ended other = finish(second, "together1");
    ASSERT_EQ(first.status, 0) << first.errors;
    ASSERT_EQ(other.status, 0) << other.errors;
    EXPECT_FALSE(fs::exists(folder_ / "together1.out"));  // only rank 0 writes
    EXPECT_FALSE(fs::exists(folder_ / "together1"));
    const std::vector<float> alone = weights("alone");
    const std::vector<float> together = weights("together");
    ASSERT_EQ(alone.size(), together.size());
    for (std::size_t i = 0; i < alone.size(); ++i) ASSERT_NEAR(alone[i], together[i], 1e-4F) << i;
}

// Where libtorch sees a GPU: there, most steps are replays of a captured one.
class GpuTrainingRunTest : public TrainingRunTest {
protected:
    void SetUp() override {
        TrainingRunTest::SetUp();
        if (IsSkipped()) return;
        try {
            trainer().device_name("cuda:0");
        } catch (const Error& error) {
            GTEST_SKIP() << error.what();
        }
        write("recipe.yaml",
              std::string(tiny_recipe) + "augmentation: {flip: true, crop_padding: 0, cutout: 0}\n");
    }
    Ended train_there(const std::string& run, std::vector<std::string> variables = {}) const {
        variables.emplace_back("TRAINER_DEVICE=cuda:0");
        return train(run, variables);
    }
};

TEST_F(GpuTrainingRunTest, LearnsWhatTheCpuLearnsAndRepeatsItself) {
    ASSERT_EQ(train("cpu").status, 0) << read("cpu.err");
    ASSERT_EQ(train_there("one").status, 0) << read("one.err");
    ASSERT_EQ(train_there("two").status, 0) << read("two.err");
    EXPECT_EQ(read("one.out"), read("two.out"));
    const std::vector<float> cpu = weights("cpu");
    const std::vector<float> gpu = weights("one");
    ASSERT_EQ(cpu.size(), gpu.size());
    double difference = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < cpu.size(); ++i) {
        difference += (cpu[i] - gpu[i]) * (cpu[i] - gpu[i]);
        size += cpu[i] * cpu[i];
    }
    // TF32 in the convs, and fifteen steps that build on each other.
    EXPECT_LT(std::sqrt(difference / size), 0.05);
}

TEST_F(GpuTrainingRunTest, ARunThatWasKilledEndsAsOneThatWasNot) {
    ASSERT_EQ(train_there("whole").status, 0) << read("whole.err");
    for (const char* in : {"TRAINER_KILL_IN=0", "TRAINER_KILL_IN=2"}) {
        ASSERT_EQ(train_there("killed", {in}).status, 128 + SIGKILL) << read("killed.err");
    }
    ASSERT_EQ(train_there("killed").status, 0) << read("killed.err");
    EXPECT_EQ(read("whole.out"), read("killed.out"));
}

TEST_F(GpuTrainingRunTest, EveryKindOfLayerTrainsInBothPrecisions) {
    write("model.yaml", model_of_all_kinds);
    ASSERT_EQ(train_there("f32").status, 0) << read("f32.err");
    std::string recipe = tiny_recipe;
    recipe.replace(recipe.find("f32"), 3, "bf16");
    write("recipe.yaml", recipe);
    ASSERT_EQ(train_there("bf16").status, 0) << read("bf16.err");
}

TEST_F(TrainingRunTest, PlacesThatDoNotFitAreRefused) {
    EXPECT_EQ(train("run", {"WORLD_SIZE=2", "RANK=2", "MASTER_ADDR=localhost", "MASTER_PORT=29500"}).status,
              2);
    EXPECT_EQ(train("run", {"WORLD_SIZE=2", "RANK=1", "MASTER_PORT=29500", "MASTER_ADDR="}).status, 2);
    EXPECT_EQ(train("run", {"WORLD_SIZE=many"}).status, 2);
}

}  // namespace
}  // namespace hacscale
