// Which cores are disturbed by other work, and how many threads training takes.

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "fixture.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/train/train_run.hpp"

namespace hacscale::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Cores, OnlyCoresWithOtherWorkAreNamed) {
    EXPECT_FALSE(doubt_about({{{0}, 0.0}, {{1}, 0.2}}));
    EXPECT_EQ(doubt_about({{{0}, 0.0}, {{1, 3}, 0.5}}),
              "cpu: other work keeps core 1 (50 %) busy, so times may be too long");
    EXPECT_THAT(*doubt_about({{{0}, 1.0}, {{1}, 0.3}}), HasSubstr("cores 0 (100 %) and 1 (30 %)"));
    EXPECT_FALSE(doubt_about({}));
}

TEST(TrainingThreads, TrainingTakesAsManyThreadsAsMeasuring) {
    FakeEvents events;
    const std::vector<host::Core> hyperthreads{{0, 2}, {1, 3}};
    EXPECT_EQ(training_threads({hyperthreads, {}, {}}, 0, "cpu", events), 2);
    EXPECT_EQ(training_threads({hyperthreads, {}, {}}, 4, "cpu", events), 4);
    EXPECT_THAT(events.said, IsEmpty());
    EXPECT_EQ(training_threads({hyperthreads, host::CpuQuota{1.0, "/cpu.max"}, {}}, 0, "cpu", events), 1);
    EXPECT_THAT(events.said, HasSubstr("quota of 1.00 cores (/cpu.max)"));
    EXPECT_EQ(training_threads({hyperthreads, {}, "1"}, 0, "cpu", events), 1);
    EXPECT_THAT(events.said, HasSubstr("OMP_NUM_THREADS=1 decides"));
    EXPECT_THROW(training_threads({hyperthreads, {}, {}}, 5, "cuda:0", events), InputError);
}

TEST(TrainingThreads, ThreadsOfTheHostAreNotWarnedOfWhereAGpuTrains) {
    FakeEvents events;
    EXPECT_EQ(training_threads({{{0}, {1}}, {}, "1"}, 0, "cuda:0", events), 1);
    EXPECT_THAT(events.said, IsEmpty());
}

}  // namespace
}  // namespace hacscale::harness
