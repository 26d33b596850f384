// Tables of shards, merged by "table merge".
#include <gmock/gmock.h>

#include "harness/suite/run_manifest.hpp"
#include "program_fixture.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class ShardTablesTest : public ProgramTest {
protected:
    std::filesystem::path shard(const std::string& folder, Shard shard, bool finished = true,
                                const std::string& hash = "0123456789abcdef") const {
        const std::filesystem::path at = path(folder);
        std::filesystem::create_directories(at);
        write_manifest(at, {"demo", hash, shard, finished});
        hacscale::testing::make_table(
            at / "table.db",
            {hacscale::testing::warm_row(hacscale::testing::conv(8, 8 * shard.index), 10.0, 0.1)});
        return at / "table.db";
    }

    Answer merge(const std::vector<std::filesystem::path>& tables, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"table", "merge"};
        for (const std::filesystem::path& table : tables) {
            arguments.push_back(table.string());
        }
        arguments.insert(arguments.end(), {"--out", path("out.db"), "--json"});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }

    void expect_refused(const Answer& answer, const std::vector<std::string>& parts, int status = 2) const {
        EXPECT_EQ(answer.status, status);
        for (const std::string& part : parts) {
            EXPECT_THAT(answer.err, HasSubstr(part));
        }
        EXPECT_FALSE(std::filesystem::exists(path("out.db")));
    }
};

TEST_F(ShardTablesTest, AllShardsAreUnited) {
    const Answer answer = merge({shard("b", {2, 2}), shard("a", {1, 2})});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["rows"], 2);
    EXPECT_EQ(answer.json()["gaps"].size(), 0U);
}

TEST_F(ShardTablesTest, MissingAndUnfinishedOnesAreNamed) {
    const auto first = shard("a", {1, 3});
    const auto third = shard("c", {3, 3}, false);
    expect_refused(merge({first, third}),
                   {"shard 2/3 of demo is missing", "shard 3/3", "c/table.db", "not finished", "--partial"});
    const Answer partial = merge({first, third}, {"--partial"});
    EXPECT_EQ(partial.status, 4);
    EXPECT_EQ(partial.json()["gaps"].size(), 2U);
    EXPECT_EQ(partial.json()["rows"], 2);
}

TEST_F(ShardTablesTest, OverlappingOnesAreRefused) {
    const auto first = shard("a", {1, 2});
    const auto second = shard("b", {2, 2});
    expect_refused(merge({first, shard("again", {1, 2}), second}),
                   {"shard 1/2 is given twice", "a/table.db", "again/table.db"});
    expect_refused(merge({first, shard("c", {2, 4})}), {"shard 1/2", "shard 2/4", "overlap"});
    expect_refused(merge({first, shard("d", {2, 2}, true, "ffff")}), {"suite", "hash ffff"});
    expect_refused(merge({first, second}, {"--tolerance", "-1"}), {"--tolerance"});
}

TEST_F(ShardTablesTest, OneThatIsBeingWrittenIsLeftAlone) {
    const auto first = shard("a", {1, 2});
    const auto second = shard("b", {2, 2});
    {
        const Table writer = Table::open(second, OpenMode::write);
        expect_refused(merge({first, second}), {"b/table.db is being written by process"}, 1);
    }
    EXPECT_EQ(merge({first, second}).status, 0);
}

TEST_F(ShardTablesTest, ADamagedNoteIsAnError) {
    const auto first = shard("a", {1, 1});
    for (const char* text :
         {"", "[]", "{}", R"({"suite":1})",
          R"({"suite":"s","suite_hash":"h","shard":{"index":3,"count":2},"finished":true})"}) {
        write("a/suite.json", text);
        expect_refused(merge({first}), {"suite.json"});
    }
}

}  // namespace
}  // namespace hacscale::cli
