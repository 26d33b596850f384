#include "cli/program.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>
#include <streambuf>

#include "cli/session.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct BadUsage {
    std::vector<std::string> arguments;
    std::string message_part;
};

class BadUsageTest : public ::testing::TestWithParam<BadUsage> {};

TEST_P(BadUsageTest, IsOneSentenceAndStatusTwo) {
    const Answer answer = call(GetParam().arguments);
    EXPECT_EQ(answer.status, 2);
    EXPECT_EQ(answer.out, "");
    EXPECT_THAT(answer.err, StartsWith("error: "));
    EXPECT_THAT(answer.err, HasSubstr(GetParam().message_part));
    EXPECT_EQ(std::count(answer.err.begin(), answer.err.end(), '\n'), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Program, BadUsageTest,
    ::testing::Values(BadUsage{{}, "a command is needed"}, BadUsage{{"modles"}, "did you mean 'models'"},
                      BadUsage{{"frobnicate"}, "\"frobnicate\" is no known command"},
                      BadUsage{{"models", "shw"}, "did you mean 'show'"},
                      BadUsage{{"models", "--jsn"}, "did you mean '--json'"},
                      BadUsage{{"models", "show", "--layer"}, "did you mean '--layers'"},
                      BadUsage{{"models", "show"}, "model is required"},
                      BadUsage{{"models", "show", "resnet18", "--batch", "many"}, "--batch"},
                      BadUsage{{"models", "show", "resnet18", "--batch", "0"}, "--batch"},
                      BadUsage{{"models", "show", "resnet18", "--batch", "-1"}, "--batch"},
                      BadUsage{{"models", "show", "resnet18", "--batch", "1000000000"}, "--batch"},
                      BadUsage{{"models", "show", "resnet18", "--dtype", "f8"}, "f8"},
                      BadUsage{{"completion", "basch"}, "did you mean 'bash'"},
                      BadUsage{{"--no-such-option"}, "--no-such-option"}));

TEST(Program, SaysItsVersion) {
    const Answer answer = call({"--version"});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.out, StartsWith("hacscale 0."));
}

// Refuses every byte, as a closed pipe or a full disk does.
class FailingBuffer : public std::streambuf {
public:
    explicit FailingBuffer(int error_number) : error_number_(error_number) {}

protected:
    int_type overflow(int_type) override { return fail(); }
    std::streamsize xsputn(const char*, std::streamsize) override {
        fail();
        return 0;
    }

private:
    int_type fail() {
        errno = error_number_;
        return traits_type::eof();
    }
    int error_number_;
};

Answer call_with_failing_output(int error_number) {
    FailingBuffer buffer(error_number);
    std::ostream out(&buffer);
    std::ostringstream err;
    const std::vector<const char*> argv{"hacscale", "completion", "bash"};
    const int status = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {status, "", err.str()};
}

TEST(Program, EndsQuietlyWhenTheReaderHasSeenEnough) {
    const Answer answer = call_with_failing_output(EPIPE);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.err, "");
}

TEST(Program, AFullDiskUnderTheAnswerIsAFailure) {
    const Answer answer = call_with_failing_output(ENOSPC);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("No space left"));
}

TEST(Program, AnInterruptShowsInTheStatus) {
    const auto before_interrupt = std::signal(SIGINT, SIG_DFL);
    const auto before_terminate = std::signal(SIGTERM, SIG_DFL);
    catch_interrupts();
    std::raise(SIGINT);
    EXPECT_TRUE(interrupted());
    EXPECT_EQ(call({"models"}).status, 130);
    clear_interrupt();
    EXPECT_EQ(call({"models"}).status, 0);
    std::signal(SIGINT, before_interrupt);
    std::signal(SIGTERM, before_terminate);
}

}  // namespace
}  // namespace hacscale::cli
