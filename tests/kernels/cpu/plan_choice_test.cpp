// The choice among kernels by time, and the file that remembers it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kernels/cpu/plan_choice.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::cpu {
namespace {

// Kernels whose runs advance a clock of their own.
class FastestTest : public ::testing::Test {
protected:
    PlanCandidate taking(const std::string& name, double us) {
        return {name, [] {}, [this, us] { now_us_ += us; }};
    }
    std::size_t chosen(const std::vector<PlanCandidate>& candidates) {
        return fastest(candidates, [this] { return now_us_; });
    }

    double now_us_ = 0.0;
};

TEST_F(FastestTest, PicksThePlainlyFaster) {
    EXPECT_EQ(chosen({taking("a", 400), taking("b", 100), taking("c", 200)}), 1u);
    EXPECT_EQ(chosen({taking("a", 100), taking("b", 400)}), 0u);
    EXPECT_EQ(chosen({taking("a", 400), taking("b", 300), taking("c", 200)}), 2u);
}

TEST_F(FastestTest, PrefersTheEarlierOfNearlyEqualOnes) {
    // 1 % is less than the 3 % that a change has to be worth.
    EXPECT_EQ(chosen({taking("a", 1000), taking("b", 990)}), 0u);
    EXPECT_EQ(chosen({taking("a", 1000), taking("b", 995), taking("c", 1005)}), 0u);
    EXPECT_EQ(chosen({taking("a", 1000), taking("b", 960)}), 1u);
}

TEST_F(FastestTest, HasNothingToChooseAmongFewerThanTwo) {
    EXPECT_EQ(chosen({}), 0u);
    bool ran = false;
    EXPECT_EQ(chosen({{"only", [] {}, [&] { ran = true; }}}), 0u);
    EXPECT_FALSE(ran);
}

TEST_F(FastestTest, PreparesTheCachesBeforeEachTimedRun) {
    int prepared = 0;
    int runs = 0;
    PlanCandidate first = taking("a", 50);
    first.prepare = [&] { ++prepared; };
    first.run = [&, run = first.run] {
        ++runs;
        run();
    };
    chosen({first, taking("b", 50)});
    EXPECT_EQ(prepared, runs - 1);  // the first run of all is not timed
    EXPECT_GT(prepared, 3);
}

TEST_F(FastestTest, RunsSlowCandidatesLessOften) {
    const auto runs_of = [this](double us) {
        int runs = 0;
        PlanCandidate counted = taking("a", us);
        counted.run = [&runs, run = counted.run] {
            ++runs;
            run();
        };
        chosen({counted, taking("b", us)});
        return runs;
    };
    EXPECT_LT(runs_of(1e6), runs_of(100.0));
    EXPECT_GT(runs_of(1e6), 4);
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
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);  // whatever the umask is
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

// Another user could choose this one's kernels, or have a file of this one's written to.
TEST(PlanCache, ReadsNothingThatOthersCouldHaveWritten) {
    const testing::TempFolder folder;
    const std::filesystem::path file = folder / "plans.txt";
    PlanCache(file).remember("key", "name");
    ASSERT_EQ(PlanCache(file).find("key"), "name");
    using std::filesystem::perms;
    std::filesystem::permissions(file, perms::others_write, std::filesystem::perm_options::add);
    EXPECT_EQ(PlanCache(file).find("key"), std::nullopt);
    std::filesystem::permissions(file, perms::owner_all);
    std::filesystem::permissions(folder.path(), perms::others_write, std::filesystem::perm_options::add);
    EXPECT_EQ(PlanCache(file).find("key"), std::nullopt);
    std::filesystem::permissions(folder.path(), perms::owner_all);
    const std::filesystem::path precious = folder / "precious";
    std::ofstream(precious) << "keep";
    std::filesystem::create_symlink(precious, folder / "link.txt");
    PlanCache(folder / "link.txt").remember("key", "name");
    EXPECT_EQ(std::filesystem::file_size(precious), 4U);
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
