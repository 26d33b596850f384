// What Table::open accepts and refuses.
#include <sys/stat.h>

#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;

void write_file(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
}

void open_for_reading(const fs::path& file) {
    Table::open(file, OpenMode::read);
}

TEST(TableOpen, CreatesOnceAndFindsItsDeviceAgain) {
    const TempFolder folder;
    const fs::path file = folder / "a table?100%#1.db";  // marks that URIs take for their own
    { make_table(file, {warm_row(conv(8, 8), 1.0)}); }
    const Table again = Table::open(file, OpenMode::create, &test_device);
    EXPECT_EQ(again.size(), 1);
    EXPECT_EQ(again.device(), test_device);
    EXPECT_EQ(again.file(), file);
}

TEST(TableOpen, LeavesNothingBesideTheFile) {
    const TempFolder folder;
    { make_table(folder / "t.db", {warm_row(conv(8, 8), 1.0)}); }
    open_for_reading(folder / "t.db");
    const auto entries = std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
    EXPECT_EQ(entries, 1);
}

TEST(TableOpen, RefusesWhatIsNotThere) {
    const TempFolder folder;
    for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
        expect_error<InputError>([&] { Table::open(folder / "t.db", mode); }, {"t.db", "does not exist"});
    }
    expect_error<InputError>([&] { Table::open(folder / "no" / "t.db", OpenMode::create, &test_device); },
                             {"folder does not exist"});
    expect_error<InputError>([&] { Table::open(folder / "t.db", OpenMode::create); }, {"device"});
}

TEST(TableOpen, RefusesWhatIsNoTable) {
    const TempFolder folder;
    write_file(folder / "empty.db", "");
    write_file(folder / "text.db", "layer,latency_us\nconv,1.0\n" + std::string(4096, 'x'));
    write_file(folder / "short.db", "SQLite format 3");
    tamper(folder / "other.db", "CREATE TABLE bookmarks (url TEXT)");
    for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create}) {
        const auto open = [&](const fs::path& file) { Table::open(file, mode, &test_device); };
        expect_error<InputError>([&] { open(folder.path()); }, {folder.path().string(), "folder"});
        expect_error<InputError>([&] { open(folder / "empty.db"); }, {"empty.db", "is empty"});
        expect_error<InputError>([&] { open(folder / "text.db"); }, {"text.db", "no table"});
        expect_error<InputError>([&] { open(folder / "short.db"); }, {"short.db", "cut short"});
        expect_error<InputError>([&] { open(folder / "other.db"); }, {"other.db", "another program"});
    }
}

TEST(TableOpen, RefusesATruncatedFileAtEveryLength) {
    const TempFolder folder;
    std::vector<Row> rows;
    for (int width = 8; width < 2000; width += 8) rows.push_back(warm_row(conv(8, width), 1.0));
    { make_table(folder / "t.db", rows); }
    const auto whole = fs::file_size(folder / "t.db");
    for (std::uintmax_t size = 0; size < whole; size += 1 + whole / 97) {
        fs::copy_file(folder / "t.db", folder / "cut.db", fs::copy_options::overwrite_existing);
        fs::resize_file(folder / "cut.db", size);
        expect_error<InputError>([&] { open_for_reading(folder / "cut.db"); }, {"cut.db"});
    }
}

TEST(TableOpen, RefusesAnotherSchema) {
    const TempFolder folder;
    { make_table(folder / "t.db", {}); }
    tamper(folder / "t.db", "PRAGMA user_version = 1000");
    expect_error<InputError>([&] { open_for_reading(folder / "t.db"); }, {"schema 1000", "newer hacscale"});
    tamper(folder / "t.db", "PRAGMA user_version = 4");
    for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
        expect_error<InputError>([&] { Table::open(folder / "t.db", mode); },
                                 {"kernel_width", "schema 4 does not have"});
    }
}

TEST(TableOpen, RefusesATableThatRefersToNone) {
    const TempFolder folder;
    { make_table(folder / "t.db", {}); }
    tamper(folder / "t.db",
           "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES layer', "
           "'REFERENCES laser')");
    expect_error<InputError>([&] { Table::open(folder / "t.db", OpenMode::write); },
                             {"t.db", "no such table", "not those that this program makes"});
}

TEST(TableOpen, RefusesAnotherDevice) {
    const TempFolder folder;
    { make_table(folder / "t.db", {}); }
    expect_error<InputError>([&] { Table::open(folder / "t.db", OpenMode::create, &other_device); },
                             {test_device.fingerprint, other_device.fingerprint, "Test GPU"});
}

TEST(TableOpen, RefusesToWriteATableOpenForReading) {
    const TempFolder folder;
    { make_table(folder / "t.db", {}); }
    Table table = Table::open(folder / "t.db", OpenMode::read);
    expect_error<WorkError>([&] { table.put(warm_row(conv(8, 8), 1.0)); }, {"reading only"});
    expect_error<WorkError>([&] { table.put(PeakRecord{}); }, {"reading only"});
    expect_error<WorkError>([&] { table.put(VerificationRecord{}); }, {"reading only"});
}

// The rights of a folder do not bind the superuser, so as root the child becomes nobody first.
void become_bound_by_rights() {
    constexpr uid_t nobody = 65534;
    if (::getuid() != 0) return;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(77);
}

class ReadOnlyFolder : public ::testing::Test {
protected:
    void protect() { ::chmod(folder_.path().c_str(), 0555); }
    ~ReadOnlyFolder() override { ::chmod(folder_.path().c_str(), 0755); }
    void run(const std::function<void()>& work) {
        const int status = in_child([&] {
            become_bound_by_rights();
            work();
        });
        if (status == 77) GTEST_SKIP() << "skipped: neither bound by a folder's rights nor able to become so";
        EXPECT_EQ(status, 0);
    }
    TempFolder folder_;
};

TEST_F(ReadOnlyFolder, RefusesNewAndWrittenTables) {
    { make_table(folder_ / "t.db", {}); }
    protect();
    run([&] {
        expect_error<WorkError>([&] { Table::open(folder_ / "new.db", OpenMode::create, &test_device); },
                                {"new.db", "Permission denied"});
        expect_error<WorkError>([&] { Table::open(folder_ / "t.db", OpenMode::write); }, {"t.db"});
    });
}

TEST_F(ReadOnlyFolder, ReadsAClosedTable) {
    { make_table(folder_ / "t.db", {warm_row(conv(8, 8), 1.0)}); }
    protect();
    run([&] { EXPECT_EQ(Table::open(folder_ / "t.db", OpenMode::read).query({}).size(), 1U); });
}

TEST_F(ReadOnlyFolder, ReadsATableThatIsBeingWritten) {
    const Table writer = make_table(folder_ / "t.db", {warm_row(conv(8, 8), 1.0)});
    protect();
    run([&] { EXPECT_EQ(Table::open(folder_ / "t.db", OpenMode::read).query({}).size(), 1U); });
}

TEST_F(ReadOnlyFolder, DoesNotLoseRowsOfALogInSilence) {
    const TempFolder source;
    const Table writer = make_table(source / "t.db", {warm_row(conv(8, 8), 1.0)});
    fs::copy_file(source / "t.db", folder_ / "t.db");
    fs::copy_file(source / "t.db-wal", folder_ / "t.db-wal");
    protect();
    run([&] { expect_error<WorkError>([&] { open_for_reading(folder_ / "t.db"); }, {"t.db-wal", "copy"}); });
}

}  // namespace
}  // namespace hacscale
