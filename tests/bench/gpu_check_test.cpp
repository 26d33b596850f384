// bench/gpu-check with programs that only write down how they were called: what runs, what is skipped on the
// second call, and which exit status each ending has.
#include <gmock/gmock.h>

#include "tests/bench/gpu_check.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(GpuCheck, RunsEveryStepOnceAndRemembersThatItDid) {
    const Answer first = check("");
    EXPECT_EQ(first.status, 0) << first.text;
    const std::string called = calls();
    for (const char* call : {"tests/gpu_tests", "hacscale run ", "hacscale verify --all",
                             "hacscale table diff", "bench/cuda_layers --device cuda:0"}) {
        EXPECT_THAT(called, HasSubstr(call));
    }
    EXPECT_TRUE(fs::exists(folder_ / "gpu-check-out" / "suite.log"));

    const Answer second = check("");
    EXPECT_EQ(second.status, 0);
    EXPECT_THAT(second.text, HasSubstr("suite: passed"));
    EXPECT_THAT(calls(), Not(HasSubstr("hacscale run ")));
}

TEST_F(GpuCheck, AFailedStepIsShownAndTriedAgain) {
    program("tests/gpu_tests", "echo 'conv is wrong'; exit 1");
    const Answer first = check("");
    EXPECT_EQ(first.status, 1);
    EXPECT_THAT(first.text, HasSubstr("tests: FAILED with status 1"));
    EXPECT_THAT(first.text, HasSubstr("conv is wrong"));
    EXPECT_THAT(calls(), HasSubstr("hacscale run ")) << "the other steps go on";

    program("tests/gpu_tests", "");
    EXPECT_EQ(check("").status, 0);
    const std::string called = calls();
    EXPECT_THAT(called, HasSubstr("tests/gpu_tests"));
    EXPECT_THAT(called, Not(HasSubstr("hacscale run ")));
}

TEST_F(GpuCheck, NoisyRowsAreAnAnswerWithGaps) {
    program("bench/cuda_layers", "exit 4");
    const Answer answer = check("");
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.text, HasSubstr("layers: passed with gaps"));
}

TEST_F(GpuCheck, WithoutTheDeviceItSaysSo) {
    program("hacscale", R"(echo 'cuda: no NVIDIA driver')");
    const Answer answer = check("");
    EXPECT_EQ(answer.status, 3);
    EXPECT_THAT(answer.text, HasSubstr("no NVIDIA driver"));
    EXPECT_THAT(answer.text, HasSubstr("cuda:0 is not here"));
    EXPECT_THAT(calls(), Not(HasSubstr("gpu_tests")));
}

TEST_F(GpuCheck, WhenTheMinutesAreOverTheRestIsLeft) {
    const Answer answer = check("--minutes 0");
    EXPECT_EQ(answer.status, 4);
    EXPECT_THAT(answer.text, HasSubstr("suite: left for the next run"));
    EXPECT_THAT(calls(), Not(HasSubstr("hacscale run ")));
    EXPECT_EQ(check("").status, 0) << "the same command goes on";
}

TEST_F(GpuCheck, BadUsageIsToldApart) {
    for (const char* arguments :
         {"--minutes soon", "--minutes", "--peers some", "--wat", "no-such-suite.yaml"}) {
        const Answer answer = check(arguments);
        EXPECT_EQ(answer.status, 2) << arguments;
        EXPECT_THAT(answer.text, HasSubstr("gpu-check: ")) << arguments;
    }
    EXPECT_EQ(calls(), "");
}

}  // namespace
}  // namespace hacscale
