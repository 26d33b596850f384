// What the harness tells a terminal, and what disturbs a measurement shows in the exit status.
#include "cli/session.hpp"

#include <gmock/gmock.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <sstream>

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionTest : public ::testing::Test {
protected:
    ~SessionTest() override { clear_interrupt(); }

    std::ostringstream out_;
    std::ostringstream err_;
    spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(err_, true)};
    Session session_{out_, err_, log_, false, true};
};

TEST_F(SessionTest, TimesThatMayBeWrongAreNotDone) {
    EXPECT_EQ(status_with_doubts(ExitStatus::done, session_), ExitStatus::done);
    EXPECT_THAT(err_.str(), IsEmpty());
    session_.warn("cpu: other work keeps core 0 (90 %) busy");
    session_.keep_doubt("cpu: other work keeps core 0 (90 %) busy");
    EXPECT_THAT(err_.str(), HasSubstr("core 0 (90 %)"));
    EXPECT_EQ(status_with_doubts(ExitStatus::done, session_), ExitStatus::incomplete);
    EXPECT_THAT(err_.str(), HasSubstr("may be too slow"));
}

TEST_F(SessionTest, AWorseStatusStays) {
    session_.warn("cpu: other work keeps core 0 (90 %) busy");
    session_.keep_doubt("cpu: other work keeps core 0 (90 %) busy");
    EXPECT_EQ(status_with_doubts(ExitStatus::failed, session_), ExitStatus::failed);
    EXPECT_EQ(status_with_doubts(ExitStatus::incomplete, session_), ExitStatus::incomplete);
}

TEST_F(SessionTest, AWarningShowsTheCommandToPaste) {
    session_.warn("the rows are measured again by", {{"hacscale", "profile", "a network.yaml"}});
    EXPECT_THAT(err_.str(), HasSubstr("measured again by\n  hacscale profile 'a network.yaml'\n"));
}

TEST_F(SessionTest, ProgressIsABarThatEnds) {
    {
        Progress progress(session_);
        progress.set(1, 4, "layers");
        EXPECT_THAT(err_.str(), HasSubstr("layers ["));
    }
    const std::string shown = err_.str();
    EXPECT_EQ(shown.substr(shown.rfind('\r')), "\r\033[K") << "the bar is off the screen";
    session_.progress_ended();
    EXPECT_EQ(err_.str(), shown) << "there is no bar to take off";
    EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(SessionTest, ASignalAsksWorkToStop) {
    EXPECT_FALSE(session_.stop_requested());
    catch_interrupts();
    std::raise(SIGINT);
    EXPECT_TRUE(session_.stop_requested());
    Progress progress(session_);
    EXPECT_FALSE(progress.work_events().keep_going());
}

// Each in a process of its own, in which nothing has polled.
class SignalDeathTest : public ::testing::TestWithParam<int> {
protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        std::signal(GetParam(), SIG_DFL);
    }
};

TEST_P(SignalDeathTest, EndsWorkThatDoesNotPoll) {
    EXPECT_EXIT(std::raise(GetParam()), ::testing::KilledBySignal(GetParam()), "");
}

TEST_P(SignalDeathTest, IsKeptForWorkThatPolls) {
    EXPECT_EXIT(
        {
            if (interrupted()) std::_Exit(1);
            std::raise(GetParam());
            std::_Exit(interrupted() ? interrupt_exit_status() : 1);
        },
        ::testing::ExitedWithCode(128 + GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalDeathTest, ::testing::Values(SIGINT, SIGTERM, SIGHUP));

}  // namespace
}  // namespace hacscale::cli
