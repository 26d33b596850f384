// How many threads, where, and what is said of it.
#include "kernels/host/thread_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace hacscale::host {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Core> two_cores{{0}, {1}};
const std::vector<Core> four_hyperthreads{{0, 2}, {1, 3}};

std::string refusal(const Room& room, int wanted) {
    try {
        choose_threads(room, wanted);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(ThreadChoice, OneForEachPhysicalCore) {
    for (const auto& cores : {two_cores, four_hyperthreads}) {
        const ThreadChoice choice = choose_threads({cores, {}, {}}, 0);
        EXPECT_EQ(choice.threads, 2);
        EXPECT_THAT(choice.warnings, IsEmpty());
    }
}

TEST(ThreadChoice, MoreThanProcessorsAreRefused) {
    EXPECT_EQ(refusal({two_cores, {}, {}}, 8),
              "8 threads would share the 2 cores that this process may use; ask for 1 to 2 threads, or 0 for "
              "one on each core");
    EXPECT_THAT(refusal({four_hyperthreads, {}, {}}, 5), HasSubstr("2 cores with 4 hyperthreads"));
    EXPECT_EQ(choose_threads({four_hyperthreads, {}, {}}, 4).threads, 4);    // asked for by name
    EXPECT_THAT(refusal({{{1}}, {}, {}}, 2), HasSubstr("the 1 core that"));  // a taskset
}

TEST(ThreadChoice, AQuotaHasAsManyAsItHasWholeCores) {
    const auto chosen = [](double cores) { return choose_threads({two_cores, CpuQuota{cores, "f"}, {}}, 0); };
    EXPECT_EQ(chosen(1.0).threads, 1);
    EXPECT_EQ(chosen(1.9).threads, 1);
    EXPECT_THAT(chosen(1.9).warnings,
                ElementsAre("1 thread for 2 cores, because of the CPU quota of 1.90 cores (f)"));
    EXPECT_EQ(chosen(0.5).threads, 1);
    EXPECT_THAT(chosen(0.5).warnings, ElementsAre(AllOf(HasSubstr("quota of 0.50"), HasSubstr("stopped"))));
    for (const double enough : {1.9999, 2.0, 16.0}) {
        EXPECT_EQ(chosen(enough).threads, 2);
        EXPECT_THAT(chosen(enough).warnings, IsEmpty()) << enough;
    }
}

TEST(ThreadChoice, MoreThanTheQuotaAreWarnedOf) {
    const ThreadChoice choice = choose_threads({two_cores, CpuQuota{1.0, "/sys/cpu.max"}, {}}, 2);
    EXPECT_EQ(choice.threads, 2);
    EXPECT_TRUE(choice.above_quota);
    EXPECT_FALSE(choose_threads({two_cores, CpuQuota{1.0, "f"}, {}}, 0).above_quota);
    EXPECT_THAT(choice.warnings,
                ElementsAre(AllOf(HasSubstr("quota of 1.00 cores"), HasSubstr("/sys/cpu.max"))));
    EXPECT_THAT(choose_threads({two_cores, CpuQuota{1.0, "f"}, {}}, 1).warnings, IsEmpty());
}

TEST(ThreadChoice, TheClustersVariableDecidesAndIsNamed) {
    const ThreadChoice choice = choose_threads({two_cores, {}, "1"}, 0);
    EXPECT_EQ(choice.threads, 1);
    EXPECT_THAT(
        choice.warnings,
        ElementsAre("OMP_NUM_THREADS=1 decides: 1 thread instead of 2; --threads is stronger than it"));
    EXPECT_THAT(choose_threads({two_cores, {}, "2"}, 0).warnings, IsEmpty());
    EXPECT_EQ(choose_threads({two_cores, {}, "1,4"}, 0).threads, 1);
    EXPECT_EQ(choose_threads({two_cores, {}, "1"}, 2).threads, 2);
    EXPECT_THAT(choose_threads({two_cores, {}, "1"}, 2).warnings, IsEmpty());
}

TEST(ThreadChoice, TheClustersVariableDoesNotAskForTooMuch) {
    const ThreadChoice choice = choose_threads({two_cores, {}, "64"}, 0);
    EXPECT_EQ(choice.threads, 2);
    EXPECT_THAT(choice.warnings, ElementsAre(AllOf(HasSubstr("OMP_NUM_THREADS=64"), HasSubstr("2 cores"))));
    for (const char* nonsense : {"", "many", "0", "-2", "2x"}) {
        EXPECT_EQ(choose_threads({two_cores, {}, nonsense}, 0).threads, 2) << nonsense;
    }
}

TEST(ThreadChoice, PlacesAreWholeCoresAsLongAsThereAreEnough) {
    EXPECT_EQ(openmp_places(four_hyperthreads, 1), "{0,2}");
    EXPECT_EQ(openmp_places(four_hyperthreads, 2), "{0,2},{1,3}");
    EXPECT_EQ(openmp_places(four_hyperthreads, 3), "{0},{2},{1},{3}");
    EXPECT_EQ(openmp_places(two_cores, 2), "{0},{1}");
}

}  // namespace
}  // namespace hacscale::host
