// The choice among kernels by time, and the file that remembers it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "kernels/cpu/plan_choice.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::cpu {
namespace {

// A kernel that takes this long.
PlanCandidate spinning(const std::string& name, double us) {
    return {name, [] {},
            [us] {
                const double until = now_us() + us;
                while (now_us() < until) {
                }
            }};
}

TEST(Fastest, PicksThePlainlyFaster) {
    EXPECT_EQ(fastest({spinning("a", 400), spinning("b", 100), spinning("c", 200)}), 1u);
    EXPECT_EQ(fastest({spinning("a", 100), spinning("b", 400)}), 0u);
    EXPECT_EQ(fastest({spinning("a", 400), spinning("b", 300), spinning("c", 200)}), 2u);
}

TEST(Fastest, PrefersTheEarlierOfNearlyEqualOnes) {
    // 1 % is less than the 3 % that a change has to be worth; each is the best of many, so load only slows
    // the choice down.
    EXPECT_EQ(fastest({spinning("a", 1000), spinning("b", 990)}), 0u);
    EXPECT_EQ(fastest({spinning("a", 1000), spinning("b", 995), spinning("c", 1005)}), 0u);
}

TEST(Fastest, HasNothingToChooseAmongFewerThanTwo) {
    EXPECT_EQ(fastest({}), 0u);
    bool ran = false;
    EXPECT_EQ(fastest({{"only", [] {}, [&] { ran = true; }}}), 0u);
    EXPECT_FALSE(ran);
}

TEST(Fastest, PreparesTheCachesBeforeEachTimedRun) {
    int prepared = 0;
    int runs = 0;
    PlanCandidate first = spinning("a", 50);
    first.prepare = [&] { ++prepared; };
    first.run = [&, run = first.run] {
        ++runs;
        run();
    };
    fastest({first, spinning("b", 50)});
    EXPECT_EQ(prepared, runs - 1);  // the first run of all is not timed
    EXPECT_GT(prepared, 3);
}

TEST(PlanCache, RemembersInTheProcessAndInTheFile) {
    const testing::TempFolder folder;
    const std::string file = folder / "plans.txt";
    {
        PlanCache cache(file);
        EXPECT_EQ(cache.find("conv n1 f32"), std::nullopt);
        cache.remember("conv n1 f32", "jit:avx512");
        cache.remember("conv n2 f32", "brgemm");
        cache.remember("conv n1 f32", "jit:avx2");
        EXPECT_EQ(cache.find("conv n1 f32"), "jit:avx2");
    }
    const PlanCache again(file);
    EXPECT_EQ(again.find("conv n1 f32"), "jit:avx2") << "the later choice counts";
    EXPECT_EQ(again.find("conv n2 f32"), "brgemm");
    EXPECT_EQ(again.find("conv n3 f32"), std::nullopt);
}

TEST(PlanCache, PassesOverDamagedLines) {
    const testing::TempFolder folder;
    const std::string file = folder / "plans.txt";
    {
        std::ofstream out(file, std::ios::binary);
        out << "good\tjit\n"
            << "no tab here\n\n"
            << std::string("\0\xFF\xFEnonsense\n", 12) << "also good\tbrgemm\n"
            << "torn at the end";
    }
    PlanCache cache(file);
    EXPECT_EQ(cache.find("good"), "jit");
    EXPECT_EQ(cache.find("also good"), "brgemm");
    EXPECT_EQ(cache.find("no tab here"), std::nullopt);
    EXPECT_EQ(cache.find("torn at the end"), std::nullopt);
    cache.remember("new", "wino");
    cache.remember("newer", "wino");
    EXPECT_EQ(PlanCache(file).find("newer"), "wino");
    EXPECT_EQ(PlanCache(file).find("also good"), "brgemm");
}

TEST(PlanCache, WorksWithoutAFile) {
    const testing::TempFolder folder;
    std::ofstream(folder / "a file") << "not a folder";
    for (const std::filesystem::path& file : {std::filesystem::path(), folder / "missing" / "plans.txt",
                                              folder / "a file" / "plans.txt", folder.path()}) {
        PlanCache cache(file);
        cache.remember("key", "name");
        EXPECT_EQ(cache.find("key"), "name") << file;
        EXPECT_EQ(PlanCache(file).find("key"), std::nullopt) << file;
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "missing"));
}

TEST(PlanCache, OfTheProcessLiesInTheFolderThatTheEnvironmentNames) {
    const testing::TempFolder folder;
    ::setenv("HACSCALE_PLAN_CACHE", (folder / "new").c_str(), 1);
    PlanCache& cache = PlanCache::instance("f00d");
    ::setenv("HACSCALE_PLAN_CACHE", "", 1);
    cache.remember("key", "name");
    EXPECT_EQ(PlanCache(folder / "new/plans-f00d.txt").find("key"), "name");
    EXPECT_EQ(&PlanCache::instance("f00d"), &cache);
}

}  // namespace
}  // namespace hacscale::cpu
