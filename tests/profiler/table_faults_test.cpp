// Tables on a disk that fails, at every write of a short piece of work. After each failure the table is sound, all that was committed
// is there, half of nothing is, and the same work can be done again.
#include "tests/profiler/faulty_files.hpp"

#include <sys/mman.h>

#include <set>
#include <sstream>

#include "profiler/table/check.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/merge.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;
using Committed = std::function<void()>;

// Work on tables in a folder. It calls `committed` whenever what it did until then must survive.
struct TableWork {
    const char* name;
    void (*prepare)(const fs::path& folder);
    void (*run)(const fs::path& folder, const Committed& committed);
};

void PrintTo(const TableWork& work, std::ostream* out) {
    *out << work.name;
}

Row row_with_kernels(int width, double latency_us) {
    std::mt19937 random(static_cast<unsigned>(width));
    Row row = network_row(conv(8, width), latency_us, 1 << 20);
    row.readings = random_readings(random);
    return row;
}

void put_rows(const fs::path& folder, const Committed& committed) {
    {
        Table table = Table::open(folder / "t.db", OpenMode::create, &test_device);
        committed();
        table.put({row_with_kernels(8, 1.0), row_with_kernels(16, 2.0), row_with_kernels(24, 3.0)});
        committed();
        table.put({row_with_kernels(16, 4.0), failed_row(conv(8, 32))});
        committed();
        table.put(PeakRecord{DataType::f32, 1e12, 1e11, {}, {}});
        committed();
        table.put(VerificationRecord{"net", "0123", 1, DataType::f32, CacheState::network, 10.0, 11.0, 0.5,
                                     "2026-01-01T00:00:00Z"});
        committed();
    }
    Table::open(folder / "t.db", OpenMode::write).put(row_with_kernels(40, 5.0));
    committed();
}

template <int version>
void make_table_to_upgrade(const fs::path& folder) {
    make_old_table(version, folder / "t.db", {row_with_kernels(8, 1.0), failed_row(conv(8, 16))});
}

void put_after_upgrade(const fs::path& folder, const Committed& committed) {
    Table table = Table::open(folder / "t.db", OpenMode::write);
    committed();
    table.put(row_with_kernels(24, 3.0));
    committed();
}

void make_tables_to_merge(const fs::path& folder) {
    make_table(folder / "a.db", {row_with_kernels(8, 1.0), row_with_kernels(16, 2.0)});
    make_table(folder / "b.db", {row_with_kernels(24, 3.0), warm_row(conv(8, 8), 4.0)})
        .put(PeakRecord{DataType::f32, 1e12, 1e11, {}, {}});
}

void merge_into_new(const fs::path& folder, const Committed& committed) {
    if (fs::exists(folder / "t.db")) fs::remove(folder / "t.db");
    merge_tables({folder / "a.db", folder / "b.db"}, folder / "t.db");
    committed();
}

void append(const fs::path& folder, const Committed& committed) {
    merge_tables({folder / "b.db"}, folder / "a.db", {.append = true});
    committed();
}

const TableWork works[] = {
    {"put", [](const fs::path&) {}, put_rows},
    {"upgrade from schema 1", make_table_to_upgrade<1>, put_after_upgrade},
    {"upgrade from schema 3", make_table_to_upgrade<3>, put_after_upgrade},
    {"upgrade from schema 5", make_table_to_upgrade<5>, put_after_upgrade},
    {"merge", make_tables_to_merge, merge_into_new},
    {"append", make_tables_to_merge, append},
};

// All that can be read of the folder's tables.
std::string content_of(const fs::path& folder) {
    std::ostringstream content;
    for (const char* name : {"a.db", "b.db", "t.db"}) {
        const fs::path file = folder / name;
        content << name << '\n';
        if (!fs::exists(file)) continue;
        EXPECT_TRUE(check_table(file).sound()) << name;
        const Table table = Table::open(file, OpenMode::read);
        content << table.device().fingerprint << '\n';
        write_csv(table, {}, content);
        for (const Row& row : table.query({})) {
            for (const KernelLaunch& kernel : row.readings.kernels) content << kernel.name << '\n';
        }
        content << table.peak(DataType::f32).has_value() << ' ' << table.verifications().size() << '\n';
    }
    return content.str();
}

std::set<std::string> files_in(const fs::path& folder) {
    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.insert(entry.path().filename().string());
    return files;
}

void expect_sentence(const std::string& text, Fault fault) {
    EXPECT_NE(text.find(".db"), std::string::npos) << text;
    EXPECT_EQ(text.find("not expected"), std::string::npos) << text;
    if (fault == Fault::full_disk) {
        EXPECT_NE(text.find("free some space"), std::string::npos) << text;
    } else {
        EXPECT_NE(text.find("; check"), std::string::npos) << text;
    }
}

// Folders for temporary files are in memory, where there is such a folder: what is on the disk is the model's to say.
class InMemory {
public:
    InMemory() {
        if (::getenv("TMPDIR") == nullptr && fs::is_directory("/dev/shm"))
            set_ = ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    }
    ~InMemory() {
        if (set_) ::unsetenv("TMPDIR");
    }
    InMemory(const InMemory&) = delete;
    InMemory& operator=(const InMemory&) = delete;

private:
    bool set_ = false;
};

class TableFaults : public ::testing::TestWithParam<std::tuple<TableWork, Fault>> {
protected:
    TableFaults()
        : committed_(static_cast<int*>(
              ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
        const TempFolder folder;
        work_.prepare(folder.path());
        contents_.push_back(content_of(folder.path()));
        work_.run(folder.path(), [&] { contents_.push_back(content_of(folder.path())); });
        files_ = files_in(folder.path());
    }
    ~TableFaults() override { ::munmap(committed_, sizeof(int)); }

    bool ends_the_process() const { return fault_ == Fault::kill || fault_ == Fault::power_cut; }

    // Whether the work has an n-th operation.
    bool fail_at(int n, const fs::path& folder) {
        *committed_ = 0;
        const auto run = [&] {
            faulty_.arm(fault_, n, static_cast<unsigned>(n));
            work_.run(folder, [&] { ++*committed_; });
        };
        if (!ends_the_process()) {
            try {
                run();
            } catch (const Error& error) {
                expect_sentence(error.what(), fault_);
            }
            faulty_.disarm();
            return faulty_.hit();
        }
        constexpr int without_fault = 77;
        const int status = in_child([&] {
            run();
            ::_exit(without_fault);
        });
        EXPECT_TRUE(status == 0 || status == without_fault) << status;
        return status == 0;
    }

    void expect_all_that_was_committed(const fs::path& folder) {
        const auto committed = static_cast<std::size_t>(*committed_);
        const std::string content = content_of(folder);
        // What was being committed may be there too.
        const bool whole = content == contents_[committed] ||
                           (committed + 1 < contents_.size() && content == contents_[committed + 1]);
        EXPECT_TRUE(whole) << committed << " commits, then:\n" << content;
    }

    const InMemory in_memory_;
    const TableWork work_ = std::get<0>(GetParam());
    const Fault fault_ = std::get<1>(GetParam());
    int* committed_;                     // shared with the process that fails
    std::vector<std::string> contents_;  // after so many commits
    std::set<std::string> files_;        // at the end
    FaultyFiles faulty_;
};

// With sanitizers each takes ten times as long, so there it is one operation in a few.
#ifdef __SANITIZE_ADDRESS__
constexpr int every = 13;
#else
constexpr int every = 1;
#endif

TEST_P(TableFaults, LoseNothingThatWasCommitted) {
    int operations = 0;
    bool failed = true;
    for (int n = 1; failed && !HasFailure(); n += every) {
        SCOPED_TRACE("operation " + std::to_string(n));
        const TempFolder folder;
        work_.prepare(folder.path());
        failed = fail_at(n, folder.path());
        expect_all_that_was_committed(folder.path());
        work_.run(folder.path(), [] {});
        EXPECT_EQ(files_in(folder.path()), files_);
        ASSERT_LT(n, 5000);
        if (failed) ++operations;
    }
    EXPECT_GT(operations, 10 / every);
    std::cout << "drill: " << work_.name << ", " << name_of(fault_) << ": failed at " << operations
              << " operations\n";
}

INSTANTIATE_TEST_SUITE_P(Works, TableFaults,
                         ::testing::Combine(::testing::ValuesIn(works),
                                            ::testing::Values(Fault::error_once, Fault::error,
                                                              Fault::full_disk, Fault::kill,
                                                              Fault::power_cut)));

class TableOnAFullDisk : public ::testing::Test {
protected:
    TempFolder folder_;
    fs::path file_ = folder_ / "t.db";
    FaultyFiles faulty_;
};

TEST_F(TableOnAFullDisk, IsReadAndLeavesNothingBeside) {
    { make_table(file_, {warm_row(conv(8, 8), 1.0)}); }
    faulty_.arm(Fault::full_disk, 1);
    EXPECT_EQ(Table::open(file_, OpenMode::read).size(), 1);
    EXPECT_TRUE(check_table(file_).sound());
    EXPECT_TRUE(faulty_.hit());
    EXPECT_EQ(files_in(folder_.path()), std::set<std::string>{"t.db"});
}

TEST_F(TableOnAFullDisk, IsReadWithTheRowsOfItsLog) {
    const TempFolder source;
    {
        const Table writer = make_table(source / "t.db", {warm_row(conv(8, 8), 1.0)});
        fs::copy_file(source / "t.db", file_);
        fs::copy_file(source / "t.db-wal", folder_ / "t.db-wal");
    }
    faulty_.arm(Fault::full_disk, 1);
    for (int time = 0; time < 2; ++time) {
        EXPECT_EQ(Table::open(file_, OpenMode::read).query({}).size(), 1U);
    }
    EXPECT_TRUE(faulty_.hit());
    faulty_.disarm();
    Table::open(file_, OpenMode::write).put(warm_row(conv(8, 16), 1.0));
    EXPECT_EQ(Table::open(file_, OpenMode::read).size(), 2);
    EXPECT_EQ(files_in(folder_.path()), std::set<std::string>{"t.db"});
}

TEST_F(TableOnAFullDisk, CannotBeWritten) {
    { make_table(file_, {warm_row(conv(8, 8), 1.0)}); }
    faulty_.arm(Fault::full_disk, 1);
    expect_error<WorkError>([&] { Table::open(file_, OpenMode::write); },
                            {"t.db", "no room on its disk", "free some space"});
}

}  // namespace
}  // namespace hacscale
