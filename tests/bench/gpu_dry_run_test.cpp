// The plans of bench/gpu-check from end to end without a GPU: every command of docs/gpu.md's lists starts, does its work
// and ends. The program and its benches are the real ones, on the made-up GPU, with small networks in place of those that
// the lists name; PyTorch and NVIDIA's tools are stand-ins; what needs a real GPU says that there is none.
#include <gmock/gmock.h>

#include <regex>

#include "tests/bench/gpu_check.hpp"

namespace hacscale {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

#ifdef HACSCALE_BENCH_PROGRAMS

constexpr const char* build = HACSCALE_BUILD_FOLDER;

constexpr const char* tiny_network =
    "name: tiny\ninput: {channels: 3, resolution: 32}\nclasses: 10\nstem:\n  - conv: {width: 8, kernel: "
    "3}\nstages:\n"
    "  - {name: stage1, block: basic, width: 8, depth: 1}\n"
    "  - {name: stage2, block: inverted_residual, width: 16, depth: 1, stride: 2, expansion: 2}\n"
    "head:\n  - global_avg_pool\n  - linear: {}\n";

class GpuDryRun : public GpuCheck {
protected:
    GpuDryRun() {
        write("tiny.yaml", tiny_network);
        write("suite.yaml",
              "name: tiny-suite\nmodels: [tiny.yaml]\ndevice: cuda:0\ndtype: f16\nbudgets: [1.065]\n"
              "strategies: [uniform, hacscale]\nseconds: 0.05\nminutes: 0.02\ngrid: 8\nmax_width_ratio: 1.5\n"
              "max_depth_ratio: 1\n");
        // Names of the zoo and suites become the small ones; what the answer is to be is the real program's matter.
        const std::string small =
            "arguments=()\n"
            "for one in \"$@\"; do\n"
            "    case $one in\n"
            "        resnet* | mobilenet* | efficientnet* | --all) one='" +
            path("tiny.yaml") +
            "' ;;\n"
            "        */suites/*.yaml) one='" +
            path("suite.yaml") +
            "' ;;\n"
            "    esac\n"
            "    arguments+=(\"$one\")\n"
            "done\n";
        const std::string in_build = std::string("exec '") + build + "/";
        program("hacscale", small + in_build + "hacscale' \"${arguments[@]}\"");
        program("bench/time_network", small + in_build + "bench/time_network' \"${arguments[@]}\"");
        program("bench/row_methods", small + in_build + "bench/row_methods' \"${arguments[@]}\"");
        // Networks are timed on the made-up GPU. Layers want a driver, and their arguments are read before it is asked
        // for. A build without CUDA has none of these.
        for (const std::string bench : {"cuda_layers", "cuda_squeeze_excite", "cuda_choices"}) {
            const std::string real = std::string("'") + build + "/bench/" + bench + "'";
            program("bench/" + bench, "[ -x " + real + " ] || exit 0\nCUDA_VISIBLE_DEVICES= " + real +
                                          " \"$@\"\ncase $? in 0 | 3) ;; *) exit 1 ;; esac");
        }
        program("tests/gpu_tests", std::string("[ -x '") + build + "/tests/gpu_tests' ] || exit 0\nexec '" +
                                       build + "/tests/gpu_tests' \"$@\" --gtest_list_tests");
        program("python3",
                "case $1 in *compare_pytorch.py) set -- \"$@\" --rounds 1 --seconds 0.01 ;; esac\n"
                "exec /usr/bin/env -S PATH=/usr/local/bin:/usr/bin:/bin:" +
                    path("build") + ":" + path("build/bench") + " python3 \"$@\"");
        program("nvidia-smi", "echo 'no GPU'");
        program("ncu",
                "while [[ $1 == -* ]]; do case $1 in --csv) shift ;; *) shift 2 ;; esac; done\nexec \"$@\"");
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }

    std::string environment() const {
        return "HACSCALE_MODULES='" HACSCALE_TEST_TRAINERS "/fake' HACSCALE_DATA='" + path("cifar") +
               "' HACSCALE_IMAGENETTE='" + path("cifar") + "' HACSCALE_TINY_IMAGENET='" + path("cifar") +
               "' HACSCALE_BACKENDS='" HACSCALE_MADE_UP_GPU "' HACSCALE_RESULTS='" + path("results") +
               "' PYTHONPATH='" HACSCALE_SOURCE_DIR "/tests/bench/stand_in' TORCH_CALLS='" +
               path("torch.txt") + "' ";
    }

    // Data to train on, a choice that is the base and so takes as many epochs, and records to go on from.
    void prepare_trainings() const {
        std::filesystem::create_directory(path("cifar"));
        write("cifar/data_batch_1.bin", "");
        std::filesystem::create_directories(path(choices));
        write(choices + "/accuracy.db", "");
        write(choices + "/resnet20-cifar-hacscale-1.065.yaml", tiny_network);
    }
    const std::string choices = "results/nvidia-h200/training";

    void expect_every_step_ends(const std::string& plan) const {
        const Answer answer = check("--plan " + plan + " --out out", environment());
        EXPECT_EQ(answer.status, 0) << answer.text;
        EXPECT_THAT(answer.text, Not(HasSubstr("skipped")));
        std::ifstream list(std::string(HACSCALE_SOURCE_DIR "/bench/plans/") + plan + ".sh");
        for (std::string line; std::getline(list, line);) {
            if (!line.starts_with("# ")) continue;
            const std::size_t name = line.find("min  ") + 5;
            const std::string step = line.substr(name, line.find(':') - name);
            EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "done" / step))
                << step << ": " << text_of(folder_ / "out" / (step + ".log"));
        }
    }
};

TEST_F(GpuDryRun, EveryCommandOfTheH100sListStartsAndEnds) {
    // What an H200 measured before, as far as the made-up GPU is one.
    const Answer before = answer_of(environment() + "'" + build + "/hacscale' run '" + path("suite.yaml") +
                                    "' --out '" + path("results/nvidia-h200/paper-budgets-gpu") + "'");
    ASSERT_EQ(before.status, 0) << before.text;
    expect_every_step_ends("h100");
    EXPECT_THAT(text_of(folder_ / "out" / "transfer.log"),
                HasSubstr("of 1 choices, 1 kept their budget there"));
    EXPECT_THAT(text_of(folder_ / "out" / "rows.log"), HasSubstr("A made-up GPU over A made-up GPU"));
    EXPECT_THAT(text_of(folder_ / "out" / "prefix.log"), HasSubstr("the stopwatch's rows differ"));
    EXPECT_THAT(text_of(folder_ / "torch.txt"), HasSubstr("compile max-autotune-no-cudagraphs"));
    EXPECT_THAT(text_of(folder_ / "torch.txt"), HasSubstr("tf32 True"));
}

TEST_F(GpuDryRun, EveryCommandOfTheH200sListStartsAndEnds) {
    expect_every_step_ends("h200");
}

TEST_F(GpuDryRun, EveryCommandOfTheListOfRuntimesStartsAndEnds) {
    expect_every_step_ends("runtimes");
    EXPECT_THAT(text_of(folder_ / "out" / "compare-ours.json"), HasSubstr("onnxruntime@cuda:0"));
}

TEST_F(GpuDryRun, EveryCommandOfTheListOfAccuraciesStartsAndEnds) {
    prepare_trainings();
    write(choices + "/sensitivity.db", "");
    const std::string wider = std::regex_replace(tiny_network, std::regex("width: 8"), "width: 16");
    write(choices + "/resnet20-cifar-hacscale-wide-1.065.yaml", wider);
    expect_every_step_ends("accuracy");
    // The tiny network has no 24 neighbours.
    EXPECT_THAT(text_of(folder_ / "out" / "held-out.log"),
                HasSubstr("23 networks held out, gain by sensitivity: rank correlation 1.00"));
    const std::string matched = text_of(folder_ / "out" / "matched.log");
    EXPECT_THAT(matched, HasSubstr("seed 3: test accuracy"));
    EXPECT_THAT(matched, HasSubstr("recipe short-flops-of-"));
}

TEST_F(GpuDryRun, EveryCommandOfTheListOfEpochsStartsAndEnds) {
    prepare_trainings();
    write(choices + "/plan-standard.yaml",
          text_of(HACSCALE_SOURCE_DIR "/" + choices + "/plan-standard.yaml"));
    expect_every_step_ends("epochs");
    EXPECT_THAT(text_of(folder_ / "out" / "standard.log"), HasSubstr("seed 3: test accuracy"));
}

TEST_F(GpuDryRun, EveryCommandOfTheListsOfImagesStartsAndEnds) {
    std::filesystem::create_directory(path("cifar"));
    write("cifar/data_batch_1.bin", "");
    for (const std::string plan : {"imagenette", "tiny-imagenet"}) {
        expect_every_step_ends(plan);
        EXPECT_THAT(text_of(folder_ / "out" / "train.log"), HasSubstr("seed 3: test accuracy"));
        EXPECT_THAT(text_of(folder_ / "out" / "matched.log"), HasSubstr("seed 1: test accuracy")) << plan;
        // The choice's accuracy, its spread over three seeds, and the base with as many FLOPs.
        EXPECT_THAT(text_of(folder_ / "out" / "run" / "report.md"), ContainsRegex("hacscale.*9[0-9]\\."))
            << plan;
        std::filesystem::remove_all(folder_ / "out");
    }
}

// With a trainer that only pretends to: what is trained and how the accuracies are added up is the program's and the script's.
TEST_F(GpuDryRun, EveryCommandOfTheListOfTrainingsStartsAndEnds) {
    std::filesystem::create_directory(path("cifar"));
    write("cifar/data_batch_1.bin", "");
    expect_every_step_ends("tuning");
    const std::string answer = text_of(folder_ / "out" / "shrink" / "answer.md");
    EXPECT_THAT(answer, HasSubstr("2 seeds"));
    EXPECT_THAT(answer, HasSubstr("| 1 | base | 1.000/1.000 |"));
    EXPECT_THAT(answer, HasSubstr("| 0.5 | hacscale |"));
    // What is done is not done again.
    std::filesystem::remove(folder_ / "out" / "done" / "shrink");
    const std::string before = text_of(folder_ / "out" / "shrink" / "shrink_and_tune.log");
    expect_every_step_ends("tuning");
    const std::string again =
        text_of(folder_ / "out" / "shrink" / "shrink_and_tune.log").substr(before.size());
    EXPECT_THAT(again, Not(HasSubstr("hacscale compare")));
    EXPECT_THAT(again, Not(HasSubstr("hacscale profile")));
}

#else

TEST(GpuDryRun, NeedsTheBenches) {
    GTEST_SKIP() << "skipped: this build is without bench/ (HACSCALE_BENCH)";
}

#endif

}  // namespace
}  // namespace hacscale
