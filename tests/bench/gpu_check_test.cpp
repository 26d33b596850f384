// bench/gpu-check with programs that only write down how they were called: what runs, what is skipped on the
// second call, and which exit status each ending has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

struct Answer {
    int status = 0;
    std::string text;
};

class GpuCheck : public ::testing::Test {
protected:
    GpuCheck() {
        std::string pattern = (fs::temp_directory_path() / "hacscale-gpu-check-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        program("hacscale", R"(
case "$1" in
devices) echo '{"id": "cuda:0"}' ;;
run) while [ $# -gt 1 ]; do [ "$1" = --out ] && mkdir -p "$2" && touch "$2/table.db"; shift; done ;;
profile) while [ $# -gt 1 ]; do [ "$1" = --table ] && touch "$2"; shift; done ;;
esac)");
        for (const char* name : {"tests/gpu_tests", "bench/time_network", "bench/cuda_layers"})
            program(name, "");
    }
    ~GpuCheck() override { fs::remove_all(folder_); }

    // A program that writes its arguments to calls.txt and then does what `body` says.
    void program(const std::string& name, const std::string& body) const {
        const fs::path file = folder_ / "build" / name;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << "#!/bin/bash\necho " << name << " \"$@\" >>" << folder_ / "calls.txt"
                            << "\n"
                            << body << "\n";
        fs::permissions(file, fs::perms::owner_all);
    }

    Answer check(const std::string& arguments) const {
        const std::string command =
            "cd '" + folder_.string() + "' && HACSCALE_BUILD='" + (folder_ / "build").string() +
            "' '" HACSCALE_SOURCE_DIR "/bench/gpu-check' --peers none " + arguments + " 2>&1";
        Answer answer;
        FILE* pipe = popen(command.c_str(), "r");
        if (pipe == nullptr) return {-1, "popen failed"};
        char buffer[512];
        while (fgets(buffer, sizeof buffer, pipe) != nullptr) answer.text += buffer;
        answer.status = WEXITSTATUS(pclose(pipe));
        return answer;
    }

    // What was called since the last time this was asked.
    std::string calls() const {
        const fs::path file = folder_ / "calls.txt";
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        fs::remove(file);
        return text.str();
    }

    fs::path folder_;
};

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
