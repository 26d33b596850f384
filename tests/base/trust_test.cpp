// Whose code and whose files a process takes.
#include "base/trust.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/module.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ProcessUser somebody{1000, 1000};
constexpr ProcessUser root{0, 0};
constexpr ProcessUser with_roots_rights{1000, 0};
constexpr ProcessUser with_anothers_rights{1000, 1001};

TEST(Distrust, IsOfWhatSomebodyElseCouldHaveWritten) {
    const unsigned me = 1000;
    EXPECT_EQ(distrust("file", me, 0600, me), "");
    EXPECT_EQ(distrust("file", me, 0755, me), "");
    EXPECT_EQ(distrust("file", 0, 0644, me), "") << "root may do as it likes anyway";
    EXPECT_THAT(distrust("file", me, 0664, me), HasSubstr("'chmod go-w file'"));
    EXPECT_THAT(distrust("file", me, 0602, me), HasSubstr("others may write to it"));
    EXPECT_THAT(distrust("file", 1001, 0600, me), HasSubstr("belongs to user 1001"));
}

TEST(Distrust, IsForRootOfAllThatIsNotItsOwn) {
    EXPECT_EQ(distrust("file", 0, 0644, 0), "");
    EXPECT_THAT(distrust("file", 1000, 0600, 0), HasSubstr("this program runs as user 0"));
    EXPECT_THAT(distrust("file", 0, 0666, 0), HasSubstr("others may write to it"));
}

// Where there are no more rights than the environment's owner has, nothing is gained by being careful.
TEST(CodeFolders, AreAllTakenWithoutMoreRights) {
    const testing::TempFolder folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    EXPECT_THAT(code_folders({folder.path(), "/no/such/folder"}, somebody),
                ElementsAre(folder.path(), "/no/such/folder"));
}

TEST(CodeFolders, ThatOthersMayWriteToAreSkippedWithRootsRights) {
    const testing::TempFolder folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    for (const ProcessUser& user : {root, with_roots_rights, with_anothers_rights}) {
        ::testing::internal::CaptureStderr();
        EXPECT_THAT(code_folders({"/usr/lib", folder.path()}, user), ElementsAre("/usr/lib"));
        ::testing::internal::GetCapturedStderr();
        EXPECT_THAT(code_distrust(folder.path(), user), HasSubstr(folder.path().string()));
    }
}

TEST(CodeFolders, AreToldWhenTheyAreSkippedOnce) {
    const testing::TempFolder folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    ::testing::internal::CaptureStderr();
    code_folders({folder.path()}, root);
    EXPECT_THAT(
        ::testing::internal::GetCapturedStderr(),
        HasSubstr("warning: no code is loaded from a folder that others than root could have written"));
    ::testing::internal::CaptureStderr();
    code_folders({folder.path()}, root);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(ModuleFolders, FromTheEnvironmentAreSkippedForRootWhereOthersMayWrite) {
    if (::geteuid() != 0) GTEST_SKIP() << "skipped: only root's process is that careful";
    const testing::TempFolder folder;
    ::setenv("HACSCALE_TEST_MODULES", folder.path().c_str(), 1);
    EXPECT_THAT(module_folders("HACSCALE_TEST_MODULES", "things"), ElementsAre(folder.path()));
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    ::testing::internal::CaptureStderr();
    const auto folders = module_folders("HACSCALE_TEST_MODULES", "things");
    ::testing::internal::GetCapturedStderr();
    ::unsetenv("HACSCALE_TEST_MODULES");
    EXPECT_THAT(folders, ::testing::Not(::testing::Contains(folder.path())));
    EXPECT_EQ(folders.size(), 3U) << "those beside the program";
}

}  // namespace
}  // namespace hacscale
