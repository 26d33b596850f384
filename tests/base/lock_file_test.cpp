// Lock files are regular files.
#include "base/lock_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

TEST(LockFile, IsMadeAndOpenedAgain) {
    const testing::TempFolder folder;
    for (int time = 0; time < 2; ++time) {
        const int descriptor = open_lock_file(folder / "lock");
        EXPECT_GE(descriptor, 0);
        ::close(descriptor);
    }
    EXPECT_LT(open_lock_file(folder / "none" / "lock"), 0);
}

TEST(LockFile, IsNeitherALinkNorAPipeNorAFolder) {
    const testing::TempFolder folder;
    std::ofstream(folder / "precious") << "precious";
    std::filesystem::create_symlink(folder / "precious", folder / "link");
    EXPECT_THROW(open_lock_file(folder / "link"), WorkError);
    EXPECT_EQ(std::filesystem::file_size(folder / "precious"), 8U);
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_THROW(open_lock_file(folder / "pipe"), WorkError);
    EXPECT_LT(open_lock_file(folder.path()), 0);
}

}  // namespace
}  // namespace hacscale
