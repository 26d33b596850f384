// What is kept from other users, and what is not read because they could have written it.
#include "kernels/backend/private_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;
using IfAbsent = PrivateFolder::IfAbsent;

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

class PrivateFolderTest : public ::testing::Test {
protected:
    std::optional<std::string> read(const std::string& name) {
        distrust_reason_.clear();
        return PrivateFolder(path_, IfAbsent::leave).read(name, distrust_reason_);
    }

    const testing::TempFolder base_;
    const std::filesystem::path path_ = base_ / "new" / "plans";
    std::string distrust_reason_;
};

TEST_F(PrivateFolderTest, IsItsOwnersAlone) {
    const mode_t before = ::umask(0);
    const PrivateFolder folder(path_, IfAbsent::make);
    ASSERT_TRUE(folder.usable()) << folder.distrust_reason();
    EXPECT_TRUE(folder.replace("one", "text"));
    EXPECT_TRUE(folder.append("lines", "a\n"));
    EXPECT_TRUE(folder.append("lines", "b\n"));
    ::umask(before);
    EXPECT_EQ(mode_of(path_), 0700U);
    EXPECT_EQ(mode_of(path_.parent_path()), 0700U);
    EXPECT_EQ(mode_of(path_ / "one"), 0600U);
    EXPECT_EQ(mode_of(path_ / "lines"), 0600U);
    EXPECT_EQ(read("one"), "text");
    EXPECT_EQ(read("lines"), "a\nb\n");
    EXPECT_EQ(folder.obstacle("one"), "");
    folder.remove("one");
    EXPECT_EQ(read("one"), std::nullopt);
    EXPECT_EQ(distrust_reason_, "") << "what is not there needs no reason";
}

TEST_F(PrivateFolderTest, ThatIsAbsentIsLeftAlone) {
    const PrivateFolder folder(path_, IfAbsent::leave);
    EXPECT_FALSE(folder.usable());
    EXPECT_EQ(folder.distrust_reason(), "");
    EXPECT_FALSE(folder.replace("one", "text"));
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PrivateFolderTest, ThatOthersMayWriteToIsNotUsed) {
    PrivateFolder(path_, IfAbsent::make).replace("one", "text");
    for (const mode_t mode : {0770, 0702}) {
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
        const PrivateFolder folder(path_, IfAbsent::make);
        EXPECT_FALSE(folder.usable());
        EXPECT_THAT(folder.distrust_reason(), HasSubstr("chmod go-w " + path_.string()));
        EXPECT_EQ(read("one"), std::nullopt);
        EXPECT_NE(distrust_reason_, "");
        EXPECT_FALSE(folder.replace("two", "text"));
        EXPECT_FALSE(folder.append("two", "text"));
        EXPECT_EQ(folder.obstacle("one"), folder.distrust_reason());
    }
    ASSERT_EQ(::chmod(path_.c_str(), 0755), 0);
    EXPECT_EQ(read("one"), "text");
    EXPECT_FALSE(std::filesystem::exists(path_ / "two"));
}

TEST_F(PrivateFolderTest, AFileThatOthersMayWriteToIsNotUsed) {
    const PrivateFolder folder(path_, IfAbsent::make);
    folder.replace("one", "text");
    ASSERT_EQ(::chmod((path_ / "one").c_str(), 0606), 0);
    EXPECT_EQ(read("one"), std::nullopt);
    EXPECT_THAT(distrust_reason_, HasSubstr("others may write to it"));
    EXPECT_FALSE(folder.append("one", "more"));
    EXPECT_THAT(folder.obstacle("one"), HasSubstr("others may write to it"));
    EXPECT_TRUE(folder.replace("one", "anew")) << "another file in its place";
    EXPECT_EQ(read("one"), "anew");
}

// A link that somebody put there would have another file read, or overwritten.
TEST_F(PrivateFolderTest, ALinkInAFilesPlaceIsNotFollowed) {
    const std::filesystem::path precious = base_ / "precious";
    std::ofstream(precious) << "keep";
    const PrivateFolder folder(path_, IfAbsent::make);
    std::filesystem::create_symlink(precious, path_ / "one");
    EXPECT_EQ(read("one"), std::nullopt);
    EXPECT_NE(distrust_reason_, "");
    EXPECT_FALSE(folder.append("one", "more"));
    EXPECT_TRUE(folder.replace("one", "text"));
    EXPECT_EQ(text_of(precious), "keep");
    EXPECT_EQ(read("one"), "text");
}

// The names of drafts can be guessed: a link waits behind each of the next ones.
TEST_F(PrivateFolderTest, ADraftIsNeverWrittenThroughALink) {
    const std::filesystem::path precious = base_ / "precious";
    std::ofstream(precious) << "keep";
    const PrivateFolder folder(path_, IfAbsent::make);
    for (int i = 0; i < 60; ++i) {
        std::filesystem::create_symlink(
            precious, path_ / ("one." + std::to_string(::getpid()) + "-" + std::to_string(i) + ".tmp"));
    }
    EXPECT_TRUE(folder.replace("one", "text"));
    EXPECT_EQ(text_of(precious), "keep");
    EXPECT_EQ(read("one"), "text");
}

}  // namespace
}  // namespace hacscale
