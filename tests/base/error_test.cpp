#include "base/error.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "base/sqlite/sqlite.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(WorkError, NamesThePlaceFromTheSourcesRoot) {
    const WorkError error("the call failed", Place::current(), "open_device");
    EXPECT_THAT(error.what(),
                MatchesRegex(R"(the call failed \(open_device, tests/base/error_test\.cpp:[0-9]+\))"));
    EXPECT_EQ(error.status(), ExitStatus::failed);
}

TEST(WorkError, HasNoPlaceWhereTheUserCanMendIt) {
    EXPECT_STREQ(WorkError("the disk is full").what(), "the disk is full");
}

TEST(SqliteError, NamesTheCallersPlaceOfAnErrorOfTheProgram) {
    const testing::TempFolder folder;
    const detail::Database database(folder / "table.db", detail::Access::create);
    detail::Statement select = database.prepare("SELECT ?");
    try {
        select.bind(2, std::int64_t{1});
        FAIL();
    } catch (const WorkError& error) {
        EXPECT_THAT(error.what(), HasSubstr("column index out of range"));
        EXPECT_THAT(error.what(), HasSubstr("(tests/base/error_test.cpp:"));
    }
}

// This program's statements fit its own files, so it is the file that does not fit.
TEST(SqliteError, OfAFileWithOtherTablesIsTheFiles) {
    const testing::TempFolder folder;
    const detail::Database database(folder / "table.db", detail::Access::create);
    try {
        database.execute("INSERT INTO layers VALUES (1)");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("no such table: layers"));
        EXPECT_THAT(error.what(), HasSubstr("restore it from a copy"));
    }
}

TEST(SqliteError, SaysWhatToDoOfADamagedFile) {
    const testing::TempFolder folder;
    std::ofstream(folder / "table.db") << std::string(4096, 'x');
    const detail::Database database(folder / "table.db", detail::Access::existing);
    try {
        database.integer("SELECT count(*) FROM sqlite_schema");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("restore it from a copy"));
        EXPECT_THAT(error.what(), Not(HasSubstr(".cpp:")));
    }
}

}  // namespace
}  // namespace hacscale
