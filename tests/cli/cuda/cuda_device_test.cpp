// What the real program says where no GPU can be used: each case in a process of its own, with a driver made
// by the tests first in the loader's path.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "kernels/backend/backend_registry.hpp"
#include "tests/shell.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

// Runs `hacscale ARGUMENTS`, with its two streams in one.
Answer run_program(const std::string& driver, const std::map<std::string, std::string>& variables,
                   const std::string& arguments) {
    std::string command =
        "env -u CUDA_VISIBLE_DEVICES -u HACSCALE_CUDA_LIBS LD_LIBRARY_PATH=" HACSCALE_FAKE_DRIVERS "/" +
        driver;
    for (const auto& [name, value] : variables) command += " " + name + "='" + value + "'";
    command += " " HACSCALE_PROGRAM " " + arguments;
    return answer_of(command);
}

struct Case {
    std::string driver;
    std::map<std::string, std::string> variables;
    std::string message;
};

class WithoutAGpu : public ::testing::TestWithParam<Case> {};

TEST_P(WithoutAGpu, DevicesSaysWhy) {
    const Answer outcome = run_program(GetParam().driver, GetParam().variables, "devices");
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("\ncuda, onnxruntime_cuda: not available (create): "));
    EXPECT_THAT(outcome.text, HasSubstr(GetParam().message));
}

TEST_P(WithoutAGpu, AskingForOneEndsWithStatusThree) {
    const Answer outcome = run_program(GetParam().driver, GetParam().variables,
                                       "profile resnet20-cifar --device cuda:0 --table /dev/null/none.db");
    EXPECT_EQ(outcome.status, 3) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("device 'cuda:0' is not here"));
    EXPECT_THAT(outcome.text, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cuda, WithoutAGpu,
    ::testing::Values(
        Case{"too_old",
             {},
             "the NVIDIA driver supports CUDA 12.4, and this program needs 13.0; install driver "
             "580 or newer"},
        Case{"no_device",
             {{"CUDA_VISIBLE_DEVICES", ""}},
             "CUDA_VISIBLE_DEVICES is '', which hides every GPU; unset it"},
        Case{"no_device", {}, "the NVIDIA driver finds no GPU; check that 'nvidia-smi -L'"},
        Case{"none_counted",
             {{"CUDA_VISIBLE_DEVICES", "7"}},
             "CUDA_VISIBLE_DEVICES is '7', which hides every GPU; unset it"},
        Case{"not_ready", {}, "the fake driver's error (CUDA error 802); start the NVIDIA fabric"}),
    [](const auto& tested) { return tested.param.driver + std::to_string(tested.index); });

TEST(CudaDevice, IsMissedByNameWhereThereIsNoDriver) {
    const BackendRegistry registry = BackendRegistry::load();
    for (const LoadAttempt& attempt : registry.attempts()) {
        if (attempt.backend != "cuda") continue;
        if (attempt.ready()) GTEST_SKIP() << "this machine has a GPU";
        EXPECT_EQ(attempt.stage, "create") << attempt.reason;
        ASSERT_NE(attempt.module, nullptr);
        EXPECT_NE(attempt.module->plan, nullptr);
        EXPECT_NE(attempt.reason, "");
        return;
    }
    FAIL() << "the cuda module was not found";
}

}  // namespace
}  // namespace hacscale::cli
