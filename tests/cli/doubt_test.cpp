// What disturbs a measurement shows in the exit status; and how many threads training takes.
#include "harness/measure/doubt.hpp"

#include <gmock/gmock.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>

#include "base/error.hpp"
#include "harness/measure/take_cores.hpp"
#include "harness/train/training_threads.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DoubtTest : public ::testing::Test {
protected:
    std::ostringstream out_;
    std::ostringstream err_;
    spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(err_, true)};
    Session session_{out_, err_, log_, false, false, "hacscale", nullptr, {}};
};

TEST_F(DoubtTest, TimesThatMayBeWrongAreNotDone) {
    EXPECT_EQ(status_with_doubts(ExitStatus::done, session_), ExitStatus::done);
    EXPECT_THAT(err_.str(), IsEmpty());
    add_doubt(session_, "cpu: other work keeps core 0 (90 %) busy");
    EXPECT_THAT(err_.str(), HasSubstr("core 0 (90 %)"));
    EXPECT_EQ(status_with_doubts(ExitStatus::done, session_), ExitStatus::incomplete);
    EXPECT_THAT(err_.str(), HasSubstr("may be too slow"));
}

TEST_F(DoubtTest, AWorseStatusStays) {
    add_doubt(session_, "cpu: other work keeps core 0 (90 %) busy");
    EXPECT_EQ(status_with_doubts(ExitStatus::failed, session_), ExitStatus::failed);
    EXPECT_EQ(status_with_doubts(ExitStatus::incomplete, session_), ExitStatus::incomplete);
}

TEST_F(DoubtTest, OnlyCoresWithOtherWorkAreNamed) {
    EXPECT_FALSE(doubt_about({{{0}, 0.0}, {{1}, 0.2}}));
    EXPECT_EQ(doubt_about({{{0}, 0.0}, {{1, 3}, 0.5}}),
              "cpu: other work keeps core 1 (50 %) busy, so times may be too long");
    EXPECT_THAT(*doubt_about({{{0}, 1.0}, {{1}, 0.3}}), HasSubstr("cores 0 (100 %) and 1 (30 %)"));
    EXPECT_FALSE(doubt_about({}));
}

TEST_F(DoubtTest, TrainingTakesAsManyThreadsAsMeasuring) {
    const std::vector<host::Core> hyperthreads{{0, 2}, {1, 3}};
    EXPECT_EQ(training_threads({hyperthreads, {}, {}}, 0, "cpu", session_), 2);
    EXPECT_EQ(training_threads({hyperthreads, {}, {}}, 4, "cpu", session_), 4);
    EXPECT_THAT(err_.str(), IsEmpty());
    EXPECT_EQ(training_threads({hyperthreads, host::CpuQuota{1.0, "/cpu.max"}, {}}, 0, "cpu", session_), 1);
    EXPECT_THAT(err_.str(), HasSubstr("quota of 1.00 cores (/cpu.max)"));
    EXPECT_EQ(training_threads({hyperthreads, {}, "1"}, 0, "cpu", session_), 1);
    EXPECT_THAT(err_.str(), HasSubstr("OMP_NUM_THREADS=1 decides"));
    EXPECT_THROW(training_threads({hyperthreads, {}, {}}, 5, "cuda:0", session_), InputError);
}

TEST_F(DoubtTest, ThreadsOfTheHostAreNotWarnedOfWhereAGpuTrains) {
    EXPECT_EQ(training_threads({{{0}, {1}}, {}, "1"}, 0, "cuda:0", session_), 1);
    EXPECT_THAT(err_.str(), IsEmpty());
}

}  // namespace
}  // namespace hacscale::cli
