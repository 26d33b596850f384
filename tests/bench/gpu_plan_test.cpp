// bench/gpu-check --plan: the order of a plan's steps, the time that each needs, what happens to what is left; and that
// the lists in docs/gpu.md are the plans.
#include <gmock/gmock.h>

#include <chrono>

#include "tests/bench/gpu_check.hpp"

namespace hacscale {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class GpuPlan : public GpuCheck {
protected:
    Answer run(const std::string& plan, const std::string& arguments = "") const {
        std::ofstream(folder_ / "plan.sh") << plan;
        return check("--plan plan.sh --out out " + arguments);
    }
};

constexpr const char* three_steps =
    "# 0.5 min  first: what comes first\n"
    "gpu_tests one\n"
    "gpu_tests $out $scripts/suites >$out/paths.txt\n"
    "\n"
    "# 5 min  long: does not fit\n"
    "cuda_layers long\n"
    "\n"
    "# 0.5 min  last: fits again\n"
    "time_network last\n";

TEST_F(GpuPlan, RunsWhatFitsMostWantedFirstAndGoesOnWithTheRest) {
    const Answer first = run(three_steps, "--minutes 2");
    EXPECT_EQ(first.status, 4) << first.text;
    EXPECT_THAT(first.text, HasSubstr("long: left for the next run (it needs 5 minutes"));
    EXPECT_EQ(calls(),
              "hacscale devices --json\ntests/gpu_tests one\ntests/gpu_tests out " HACSCALE_SOURCE_DIR
              "/bench/suites\nbench/time_network last\n");
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "paths.txt"));
    EXPECT_THAT(first.text, HasSubstr("out/plans: 0 files"));

    const Answer second = run(three_steps);
    EXPECT_EQ(second.status, 0) << second.text;
    EXPECT_THAT(second.text, ContainsRegex(R"(first: passed in [0-9]+ s \(done before\))"));
    EXPECT_EQ(calls(), "hacscale devices --json\nbench/cuda_layers long\n");
}

TEST_F(GpuPlan, AFailureEndsItsStepAndTheOthersGoOn) {
    program("tests/gpu_tests", "[ \"$1\" != one ] || { echo 'conv is wrong'; exit 1; }");
    const Answer answer = run(three_steps);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.text, HasSubstr("first: FAILED with status 1"));
    EXPECT_THAT(answer.text, HasSubstr("conv is wrong"));
    const std::string called = calls();
    EXPECT_THAT(called, Not(HasSubstr("suites")));
    EXPECT_THAT(called, HasSubstr("bench/time_network last"));
}

TEST_F(GpuPlan, GapsPassAndWhatIsNotHereIsSkipped) {
    program("tests/gpu_tests", "exit 4");
    const Answer answer =
        run(std::string(three_steps) + "\n# 0.1 min  ncu: what stalls it\nno-such-profiler now\n");
    EXPECT_EQ(answer.status, 0) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr("first: passed with gaps"));
    EXPECT_THAT(answer.text, HasSubstr("ncu: skipped, something that it needs is not here"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out" / "done" / "ncu"));
}

TEST_F(GpuPlan, WhatTakesLongerThanThereIsTimeForIsEnded) {
    program("tests/gpu_tests", "echo held | xargs -I{} flock {} sleep 60");
    const auto begin = std::chrono::steady_clock::now();
    const Answer answer = run("# 0.01 min  slow: takes longer than it says\ngpu_tests\n", "--minutes 0.02");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_EQ(answer.status, 4) << answer.text;
    EXPECT_THAT(answer.text, HasSubstr("slow: the 0.02 minutes were over"));
    const std::string held = (folder_ / "held").string();
    ASSERT_TRUE(std::filesystem::exists(held));
    EXPECT_EQ(answer_of("flock --timeout 10 '" + held + "' true").status, 0)
        << "what xargs had started goes on";
}

TEST_F(GpuPlan, APlanThatIsNotThereIsBadUsage) {
    const Answer answer = check("--plan b300");
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.text,
                HasSubstr("there are: accuracy epochs h100 h200 imagenette runtimes tiny-imagenet tuning"));
    EXPECT_EQ(check("--plan h100 suite.yaml").status, 2);
}

TEST_F(GpuPlan, TheDocumentHasThePlansAndEachFitsElevenMinutes) {
    const std::string document = text_of(HACSCALE_SOURCE_DIR "/docs/gpu.md");
    for (const char* plan :
         {"accuracy", "epochs", "h100", "h200", "imagenette", "runtimes", "tiny-imagenet", "tuning"}) {
        std::ifstream file(std::string(HACSCALE_SOURCE_DIR "/bench/plans/") + plan + ".sh");
        ASSERT_TRUE(file) << plan;
        double minutes = 0.0;
        std::string indented;
        for (std::string line; std::getline(file, line);) {
            indented += line.empty() ? "\n" : "    " + line + "\n";
            if (line.starts_with("# ")) minutes += std::stod(line.substr(2));
        }
        EXPECT_NE(document.find(indented), std::string::npos)
            << "docs/gpu.md lacks bench/plans/" << plan << ".sh, indented by four spaces:\n"
            << indented;
        EXPECT_GT(minutes, 0.0);
        EXPECT_LE(minutes, 11.001) << plan;
    }
}

// What is installed and not built ends cpack with an error.
TEST(Bundle, BuildsEveryProgramThatItInstalls) {
    const std::string presets = text_of(HACSCALE_SOURCE_DIR "/CMakePresets.json");
    const std::string built =
        presets.substr(presets.find(R"("targets": ["hacscale", "hacscale_backend_cpu")"));
    const std::string installs = text_of(HACSCALE_SOURCE_DIR "/bench/CMakeLists.txt");
    const std::string call = "hacscale_install(";
    int programs = 0;
    for (std::size_t at = installs.find(call); at != std::string::npos; at = installs.find(call, at + 1)) {
        const std::size_t name = at + call.size();
        const std::string program = installs.substr(name, installs.find(')', name) - name);
        EXPECT_THAT(built, HasSubstr('"' + program + '"'));
        ++programs;
    }
    EXPECT_GT(programs, 3);
}

}  // namespace
}  // namespace hacscale
