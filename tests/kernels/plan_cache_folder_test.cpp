// Where kernel choices are kept, and what is said when they cannot be.
#include "kernels/backend/private_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Puts the environment back at its end.
class PlanCacheFolder : public ::testing::Test {
protected:
    PlanCacheFolder() {
        for (const char* name : {"HACSCALE_PLAN_CACHE", "XDG_CACHE_HOME", "HOME"}) {
            const char* value = std::getenv(name);
            before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
            ::unsetenv(name);
        }
    }
    ~PlanCacheFolder() override {
        for (const auto& [name, value] : before_) {
            value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
        }
    }

    testing::TempFolder folder_;

private:
    std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(PlanCacheFolder, ThereIsNothingToSayOfAHomeThatCanBeWritten) {
    ::setenv("HOME", folder_.path().c_str(), 1);
    EXPECT_EQ(plan_cache_folder(), folder_ / ".cache" / "hacscale");
    EXPECT_EQ(plan_cache_obstacle("plans.txt"), "");
    EXPECT_TRUE(std::filesystem::is_directory(folder_ / ".cache" / "hacscale"));
}

TEST_F(PlanCacheFolder, AHomeThatCannotBeWrittenIsNamed) {
    std::ofstream(folder_ / "file") << "no folder";
    ::setenv("HOME", (folder_ / "file").c_str(), 1);
    EXPECT_THAT(plan_cache_obstacle("plans.txt"),
                AllOf(HasSubstr((folder_ / "file" / ".cache" / "hacscale" / "plans.txt").string()),
                      HasSubstr("Not a directory"), HasSubstr("HACSCALE_PLAN_CACHE")));
}

TEST_F(PlanCacheFolder, AFolderThatOthersMayWriteToIsNamed) {
    ::setenv("HACSCALE_PLAN_CACHE", folder_.path().c_str(), 1);
    EXPECT_EQ(plan_cache_obstacle("plans.txt"), "");
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::others_write,
                                 std::filesystem::perm_options::add);
    EXPECT_THAT(plan_cache_obstacle("plans.txt"),
                AllOf(HasSubstr("others may write to it"), HasSubstr("HACSCALE_PLAN_CACHE")));
}

TEST_F(PlanCacheFolder, NoHomeIsSaidToo) {
    EXPECT_THAT(plan_cache_obstacle("plans.txt"), HasSubstr("no home"));
}

TEST_F(PlanCacheFolder, WhereNothingIsToBeKeptNothingIsSaid) {
    ::setenv("HACSCALE_PLAN_CACHE", "", 1);
    EXPECT_EQ(plan_cache_obstacle("plans.txt"), "");
}

}  // namespace
}  // namespace hacscale
