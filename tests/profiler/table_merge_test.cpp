#include "profiler/table/merge.hpp"

#include <algorithm>
#include <map>

#include "profiler/table/check.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::vector<Row> rows_of(const fs::path& file) {
    return Table::open(file, OpenMode::read).query({});
}

TEST(TableMerge, OfShardsIsTheTableOfAllRows) {
    for (unsigned seed = 0; seed < 6; ++seed) {
        const TempFolder folder;
        std::mt19937 random(seed);
        std::map<RowKey, Row> distinct;
        for (int i = 0; i < 200; ++i) {
            const Row row = random_row(random);
            distinct.try_emplace(row.key, row);
        }
        const std::size_t shards = 1 + seed % 5;
        std::vector<std::vector<Row>> parts(shards);
        std::vector<Row> all;
        for (const auto& [key, row] : distinct) {
            all.push_back(row);
            parts[random() % shards].push_back(row);
            if (random() % 4 == 0) {
                parts[random() % shards].push_back(row);  // identical rows may be in several
            }
        }
        { make_table(folder / "all.db", all); }
        std::vector<fs::path> inputs;
        for (std::size_t shard = 0; shard < shards; ++shard) {
            inputs.push_back(folder / (std::to_string(shard) + ".db"));
            make_table(inputs.back(), parts[shard]);
        }
        const MergeResult result = merge_tables(inputs, folder / "merged.db");
        EXPECT_EQ(result.rows, static_cast<std::int64_t>(all.size()));
        EXPECT_EQ(rows_of(folder / "merged.db"), rows_of(folder / "all.db"));

        std::shuffle(inputs.begin(), inputs.end(), random);
        merge_tables(inputs, folder / "again.db");
        EXPECT_EQ(rows_of(folder / "again.db"), rows_of(folder / "merged.db"));
        EXPECT_EQ(Table::open(folder / "merged.db", OpenMode::read).device(), test_device);
    }
}

TEST(TableMerge, LeavesASoundFileAndNothingElse) {
    const TempFolder folder;
    const TempFolder output;
    {
        make_table(folder / "a.db", {warm_row(conv(8, 8), 1.0), failed_row(conv(8, 16))})
            .put(PeakRecord{DataType::f32, 1e9, 1e9, {}, {}});
    }
    merge_tables({folder / "a.db"}, output / "m.db");
    EXPECT_TRUE(check_table(output / "m.db").sound());
    EXPECT_EQ(std::distance(fs::directory_iterator(output.path()), fs::directory_iterator()), 1);
    Table::open(output / "m.db", OpenMode::create, &test_device).put(warm_row(conv(8, 24), 1.0));
}

TEST(TableMerge, KeepsTheRowWithMoreBehindIt) {
    const TempFolder folder;
    Row few = warm_row(conv(8, 8), 10.0, 0.5);
    few.samples = 10;
    Row many = warm_row(conv(8, 8), 10.3, 0.3);
    many.samples = 50;
    { make_table(folder / "few.db", {few, failed_row(conv(16, 16))}); }
    { make_table(folder / "many.db", {many, warm_row(conv(16, 16), 3.0)}); }
    for (const auto& inputs : {std::vector{folder / "few.db", folder / "many.db"},
                               std::vector{folder / "many.db", folder / "few.db"}}) {
        const fs::path output = folder / "m.db";
        const MergeResult result = merge_tables(inputs, output);
        EXPECT_EQ(result.rows, 2);
        EXPECT_EQ(result.duplicates, 2);
        const Table merged = Table::open(output, OpenMode::read);
        EXPECT_EQ(merged.find(few.key), many);
        EXPECT_EQ(merged.find(failed_row(conv(16, 16)).key)->latency_us, 3.0);
        fs::remove(output);
    }
}

TEST(TableMerge, NamesEachConflict) {
    const TempFolder folder;
    std::vector<Row> rows;
    std::vector<Row> slower;
    for (int width = 8; width <= 8 * 30; width += 8) {
        rows.push_back(warm_row(conv(8, width), 10.0, 0.1));
        slower.push_back(warm_row(conv(8, width), 11.0, 0.1));
    }
    { make_table(folder / "a.db", rows); }
    { make_table(folder / "b.db", slower); }
    expect_error<InputError>(
        [&] {
            merge_tables({folder / "a.db", folder / "b.db"}, folder / "m.db");
        },
        {"30 rows", "a.db", "b.db", "10 +- 0.1 us", "11 +- 0.1 us", "and 10 more",
         conv(8, 104).key() + " batch 1 f32 warm"});
    EXPECT_FALSE(fs::exists(folder / "m.db"));
    EXPECT_FALSE(fs::exists(folder / "m.db.merge"));
}

TEST(TableMerge, DifferencesWithinTheToleranceAreNoConflict) {
    const TempFolder folder;
    { make_table(folder / "a.db", {warm_row(conv(8, 8), 10.0, 0.1)}); }
    { make_table(folder / "b.db", {warm_row(conv(8, 8), 11.0, 0.1)}); }
    const auto merged_within = [&](double tolerance) {
        MergeOptions options;
        options.tolerance = tolerance;
        merge_tables({folder / "a.db", folder / "b.db"}, folder / "m.db", options);
    };
    EXPECT_THROW(merged_within(0.03), InputError);  // 10.4 against 10.57
    merged_within(0.04);
    EXPECT_EQ(rows_of(folder / "m.db").size(), 1U);
}

// The first and the last disagree, though the one between, which has most samples, agrees with both.
TEST(TableMerge, FindsConflictsInEveryOrder) {
    const TempFolder folder;
    std::vector<fs::path> inputs;
    int samples = 10;
    for (const double latency_us : {10.0, 11.0, 12.0}) {
        Row row = warm_row(conv(8, 8), latency_us, 0.7);
        row.samples = latency_us == 11.0 ? 1000 : samples++;
        inputs.push_back(folder / (std::to_string(inputs.size()) + ".db"));
        make_table(inputs.back(), {row});
    }
    std::sort(inputs.begin(), inputs.end());
    do {
        EXPECT_THROW(merge_tables(inputs, folder / "m.db"), InputError);
    } while (std::next_permutation(inputs.begin(), inputs.end()));
}

TEST(TableMerge, RefusesOtherDevicesAndOverwriting) {
    const TempFolder folder;
    { make_table(folder / "a.db", {warm_row(conv(8, 8), 1.0)}); }
    { make_table(folder / "b.db", {}, other_device); }
    expect_error<InputError>(
        [&] {
            merge_tables({folder / "a.db", folder / "b.db"}, folder / "m.db");
        },
        {"a.db", "b.db", test_device.fingerprint, other_device.fingerprint});
    expect_error<InputError>([&] { merge_tables({folder / "a.db"}, folder / "b.db"); }, {"b.db", "exists"});
    expect_error<InputError>([&] { merge_tables({folder / "a.db"}, folder / "b.db", {.append = true}); },
                             {other_device.fingerprint});
    expect_error<InputError>([&] { merge_tables({}, folder / "m.db"); }, {"nothing to merge"});
    expect_error<InputError>([&] { merge_tables({folder / "none.db"}, folder / "m.db"); }, {"none.db"});
}

TEST(TableMerge, AppendsInPlaceUnderReaders) {
    const TempFolder folder;
    { make_table(folder / "out.db", {warm_row(conv(8, 8), 1.0)}); }
    { make_table(folder / "in.db", {warm_row(conv(8, 8), 1.0), warm_row(conv(8, 16), 2.0)}); }
    const Table reader = Table::open(folder / "out.db", OpenMode::read);
    EXPECT_EQ(reader.size(), 1);
    const MergeResult result =
        merge_tables({folder / "in.db", folder / "out.db"}, folder / "out.db", {.append = true});
    EXPECT_EQ(result.rows, 2);
    EXPECT_EQ(result.duplicates, 1);
    EXPECT_EQ(reader.size(), 2);
    EXPECT_EQ(reader.query({}), rows_of(folder / "in.db"));
}

TEST(TableMerge, LeavesATableThatIsBeingWrittenAlone) {
    const TempFolder folder;
    const Table writer = make_table(folder / "out.db", {warm_row(conv(8, 8), 1.0)});
    { make_table(folder / "in.db", {}); }
    EXPECT_THROW(merge_tables({folder / "in.db"}, folder / "out.db", {.append = true}), WorkError);
    expect_error<WorkError>(
        [&] {
            merge_tables({folder / "in.db", folder / "out.db"}, folder / "copy.db");
        },
        {"out.db", "is being written", std::to_string(::getpid())});
    EXPECT_FALSE(fs::exists(folder / "copy.db"));
}

TEST(TableMerge, UnitesRecords) {
    const TempFolder folder;
    const VerificationRecord first{"resnet18", "abc", 1,   DataType::f32, CacheState::network,
                                   10.0,       11.0,  0.1, "t1"};
    VerificationRecord second = first;
    second.measured_at = "t2";
    {
        Table a = make_table(folder / "a.db", {});
        a.put(first);
        a.put(PeakRecord{DataType::f32, 3e9, 1e9, std::nullopt, std::nullopt});
        Table b = make_table(folder / "b.db", {});
        b.put(first);
        b.put(second);
        b.put(PeakRecord{DataType::f32, 2e9, 2e9, 4e9, std::nullopt});
    }
    merge_tables({folder / "a.db", folder / "b.db"}, folder / "m.db");
    const Table merged = Table::open(folder / "m.db", OpenMode::read);
    EXPECT_EQ(merged.verifications(), (std::vector{first, second}));
    EXPECT_EQ(merged.peak(DataType::f32), (PeakRecord{DataType::f32, 3e9, 2e9, 4e9, std::nullopt}));
}

}  // namespace
}  // namespace hacscale
