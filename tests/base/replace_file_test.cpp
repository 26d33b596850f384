#include "base/replace_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/error.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ReplaceFile : public ::testing::Test {
protected:
    static std::string content(const fs::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static void put(const fs::path& file, const std::string& text) {
        replace_file(file, [&text](std::ostream& stream) { stream << text; });
    }

    testing::TempFolder folder_;
    fs::path file_ = folder_ / "file";
    fs::path part_ = folder_ / "file.part";
};

TEST_F(ReplaceFile, TheFileIsTheNewOneAndNothingIsBesideIt) {
    put(file_, "old");
    put(file_, "new");
    EXPECT_EQ(content(file_), "new");
    EXPECT_FALSE(fs::exists(part_));
}

TEST_F(ReplaceFile, ALinkInItsWayIsNotFollowed) {
    const fs::path precious = folder_ / "precious";
    std::ofstream(precious) << "precious";
    fs::create_symlink(precious, part_);
    put(file_, "new");
    EXPECT_EQ(content(precious), "precious");
    EXPECT_EQ(content(file_), "new");
    EXPECT_FALSE(fs::is_symlink(file_));
}

TEST_F(ReplaceFile, AFileThatCannotBeWrittenStaysAsItWas) {
    put(file_, "old");
    EXPECT_THAT([&] { replace_file(file_, [](std::ostream& stream) { stream.setstate(std::ios::badbit); }); },
                ThrowsMessage<WorkError>(HasSubstr(file_.string())));
    EXPECT_EQ(content(file_), "old");
    EXPECT_FALSE(fs::exists(part_));
    EXPECT_THAT([&] { put(folder_ / "none" / "file", "new"); },
                ThrowsMessage<WorkError>(HasSubstr("No such file or directory")));
    fs::create_directories(part_ / "in the way");
    EXPECT_THROW(put(file_, "new"), WorkError);
    EXPECT_EQ(content(file_), "old");
}

}  // namespace
}  // namespace hacscale
