#include "base/text/read_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/error.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ReadFile, GivesItsBytes) {
    const testing::TempFolder folder;
    const std::string bytes("a\0b\xFF\n", 5);
    std::ofstream(folder / "file", std::ios::binary) << bytes;
    EXPECT_EQ(read_file(folder / "file", 5), bytes);
    EXPECT_THAT([&] { read_file(folder / "file", 4); },
                ThrowsMessage<InputError>(HasSubstr("has 5 bytes, expected at most 4")));
}

// Whatever has no end, or blocks until somebody writes, is never read.
TEST(ReadFile, TakesRegularFilesAlone) {
    const testing::TempFolder folder;
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    for (const std::filesystem::path& file : {folder / "pipe", std::filesystem::path("/dev/zero")}) {
        EXPECT_THAT([&] { read_file(file, 1 << 20); },
                    ThrowsMessage<InputError>(AllOf(HasSubstr(file.string()), HasSubstr("no regular file"))));
    }
    EXPECT_THAT([&] { read_file(folder.path(), 9); }, ThrowsMessage<InputError>(HasSubstr("is a folder")));
    EXPECT_THAT([&] { read_file(folder / "none", 9); },
                ThrowsMessage<InputError>(HasSubstr("does not exist")));
}

TEST(NestedDeeply, CountsWhatIsOpenOutsideOfTexts) {
    const auto nested = [](int depth, const std::string& within) {
        return std::string(static_cast<std::size_t>(depth), '[') + within +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_FALSE(is_nested_deeply(nested(100, "1")));
    EXPECT_TRUE(is_nested_deeply(nested(101, "1")));
    EXPECT_FALSE(is_nested_deeply(nested(100, R"("\"[", "\\")")));
    std::string beside = "[";
    for (int i = 0; i < 200; ++i) beside += "{}, ";
    EXPECT_FALSE(is_nested_deeply(beside + "1]"));
}

TEST(RefuseJson, NamesTheLineAndWhatIsThere) {
    EXPECT_THAT([] { refuse_json("{\"a\": 1,\n \"b\": 1e999}", "net.json"); },
                ThrowsMessage<InputError>(AllOf(HasSubstr("net.json: line 2"), HasSubstr("1e999"))));
    EXPECT_THAT([] { refuse_json("{\n\n\"a\": }", "net.json"); },
                ThrowsMessage<InputError>(HasSubstr("net.json: line 3")));
    EXPECT_THAT([] { refuse_json("", "net.json"); }, ThrowsMessage<InputError>(HasSubstr("line 1")));
    EXPECT_THAT([] { refuse_json("{\"\xFF\": 1}", "net.json"); },
                ThrowsMessage<InputError>(HasSubstr("net.json: line 1: is no JSON")));
}

}  // namespace
}  // namespace hacscale
