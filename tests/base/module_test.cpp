#include "base/module.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Description {
    int abi_version;
};

TEST(Modules, AreLookedForBesideTheProgram) {
    ::unsetenv("HACSCALE_NO_MODULES");
    const auto folders = module_folders("HACSCALE_NO_MODULES", "parts");
    ASSERT_EQ(folders.size(), 3U);
    for (const auto& folder : folders) EXPECT_EQ(folder.filename(), "parts");
    EXPECT_EQ(folders[0].parent_path(), std::filesystem::read_symlink("/proc/self/exe").parent_path());
}

TEST(Modules, AreLookedForWhereTheVariableSays) {
    ::setenv("HACSCALE_SOME_MODULES", "/somewhere", 1);
    EXPECT_THAT(module_folders("HACSCALE_SOME_MODULES", "parts"), ElementsAre("/somewhere"));
    ::setenv("HACSCALE_SOME_MODULES", "", 1);
    EXPECT_EQ(module_folders("HACSCALE_SOME_MODULES", "parts").size(), 3U);
}

TEST(Modules, SayWhichFileIsNotThere) {
    const auto none = open_module<Description>("/nowhere/libparts.so", "parts", 1);
    EXPECT_EQ(none.description, nullptr);
    EXPECT_EQ(none.stage, "open");
    EXPECT_THAT(none.reason, HasSubstr("/nowhere/libparts.so"));
}

}  // namespace
}  // namespace hacscale
