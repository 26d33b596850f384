// Tables that somebody else made or changed: nothing in them is run, and what no table has is refused by name.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "profiler/table/check.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ForeignTable : public ::testing::Test {
protected:
    ForeignTable() {
        Table table = make_table(file_, {warm_row(conv(8, 8), 1.0), warm_row(conv(8, 16), 2.0)});
    }

    void change(const std::string& sql) const { tamper(file_, sql); }

    void expect_refused(const std::string& said) const {
        for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
            EXPECT_THAT([&] { Table::open(file_, mode); },
                        ThrowsMessage<InputError>(AllOf(HasSubstr(file_.string()), HasSubstr(said))));
        }
        EXPECT_THROW(check_table(file_), InputError);
    }

    TempFolder folder_;
    std::filesystem::path file_ = folder_ / "t.db";
};

TEST_F(ForeignTable, ATriggerIsRefusedAndNotRun) {
    change("CREATE TRIGGER harm AFTER INSERT ON verification BEGIN DELETE FROM measurement; END");
    expect_refused("a trigger harm");
    change("DROP TRIGGER harm");
    EXPECT_EQ(Table::open(file_, OpenMode::read).size(), 2);
}

TEST_F(ForeignTable, AViewNamedLikeATableIsRefused) {
    change(
        "DROP TABLE peak; CREATE VIEW peak AS WITH RECURSIVE n(dtype) AS (SELECT 1 UNION ALL SELECT dtype + "
        "1 FROM n) "
        "SELECT dtype, 1 AS flops_per_s, 1 AS bytes_per_s, 1 AS nominal_flops_per_s, 1 AS "
        "nominal_bytes_per_s FROM n");
    expect_refused("a view peak");
}

TEST_F(ForeignTable, AnUnknownTableIsRefused) {
    change("CREATE TABLE more (a)");
    expect_refused("a table more");
}

TEST_F(ForeignTable, WhatIsMissingIsNamed) {
    change("DROP TABLE peak");
    expect_refused("lacks the table peak");
}

TEST_F(ForeignTable, AMissingColumnIsNamed) {
    change("ALTER TABLE measurement RENAME COLUMN implementation TO other");
    expect_refused("lacks the column implementation of measurement");
}

TEST_F(ForeignTable, PropertiesThatAreNoObjectAreDamage) {
    for (const char* properties : {"", "{", "3", "[]", "{\"a\": 1e999}"}) {
        change(std::string("UPDATE device SET properties = '") + properties + "'");
        EXPECT_THAT([&] { Table::open(file_, OpenMode::read); },
                    ThrowsMessage<InputError>(HasSubstr("properties of its device")));
        EXPECT_FALSE(check_table(file_).sound()) << properties;
    }
}

TEST_F(ForeignTable, BytesThatAreNoTextAreDamage) {
    change("UPDATE measurement SET implementation = CAST(x'ff' AS TEXT)");
    const Table table = Table::open(file_, OpenMode::read);
    EXPECT_THAT([&] { table.find(warm_row(conv(8, 8), 1.0).key); },
                ThrowsMessage<InputError>(AllOf(HasSubstr("implementation"), HasSubstr("no UTF-8"))));
    EXPECT_FALSE(check_table(file_).sound());
}

TEST_F(ForeignTable, AZeroByteInATextIsDamage) {
    change("UPDATE measurement SET implementation = 'a' || char(0) || 'b'");
    const Table table = Table::open(file_, OpenMode::read);
    EXPECT_THAT(
        [&] { table.find(warm_row(conv(8, 8), 1.0).key); },
        ThrowsMessage<InputError>(AllOf(HasSubstr("implementation has a zero byte"), HasSubstr("copy"))));
    EXPECT_FALSE(check_table(file_).sound());
}

// SQLite reads such a file, and says only at the first row that it cannot be written.
TEST_F(ForeignTable, AnotherVersionOfTheFileFormatIsDamage) {
    for (const std::streamoff version : {18, 19}) {
        std::fstream stream(file_, std::ios::binary | std::ios::in | std::ios::out);
        stream.seekp(version).put(3);
        stream.close();
        expect_refused("damaged");
        std::fstream(file_, std::ios::binary | std::ios::in | std::ios::out).seekp(version).put(2);
    }
    EXPECT_EQ(Table::open(file_, OpenMode::write).size(), 2);
}

// Otherwise a log's index of theirs would stay beside the table, and keep its owner from writing.
TEST_F(ForeignTable, AReaderWhoMayNotWriteTheFileLeavesNothingBesideIt) {
    constexpr uid_t nobody = 65534;
    const bool root = ::geteuid() == 0;
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    ::chmod(file_.c_str(), 0444);
    if (root) {
        ASSERT_EQ(::seteuid(nobody), 0);
    }
    const std::int64_t rows = Table::open(file_, OpenMode::read).size();
    if (root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    EXPECT_EQ(rows, 2);
    for (const char* suffix : {"-wal", "-shm"}) {
        EXPECT_FALSE(std::filesystem::exists(file_.string() + suffix)) << suffix;
    }
}

}  // namespace
}  // namespace hacscale
