// Several processes on one table, and processes that die.
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "profiler/table/check.hpp"
#include "profiler/table/merge.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;

Row numbered_row(int number) {
    return warm_row(conv(8 * (number % 500 + 1), 8 * (number / 500 + 1)), number + 1.0);
}

// A child that puts rows one by one for ever and acknowledges each through a pipe.
class EndlessWriter {
public:
    explicit EndlessWriter(const fs::path& file) {
        int ends[2] = {};
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        child_ = ::fork();
        if (child_ == 0) {
            ::close(ends[0]);
            Table table = Table::open(file, OpenMode::create, &test_device);
            for (int number = 0;; ++number) {
                table.put(numbered_row(number));
                if (::write(ends[1], "x", 1) != 1) ::_exit(1);
            }
        }
        ::close(ends[1]);
        acknowledgements_ = ends[0];
    }
    ~EndlessWriter() { kill(); }
    pid_t pid() const { return child_; }
    void wait_for_rows(int count) {
        char byte = 0;
        for (; acknowledged_ < count && ::read(acknowledgements_, &byte, 1) == 1; ++acknowledged_) {
        }
    }
    // Returns how many rows were acknowledged before it died.
    int kill() {
        if (child_ <= 0) return acknowledged_;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = 0;
        char byte = 0;
        while (::read(acknowledgements_, &byte, 1) == 1) ++acknowledged_;
        ::close(acknowledgements_);
        return acknowledged_;
    }

private:
    pid_t child_ = 0;
    int acknowledgements_ = -1;
    int acknowledged_ = 0;
};

TEST(TableWriters, LoseNothingAcknowledgedWhenKilled) {
    for (int round = 0; round < 4; ++round) {
        const TempFolder folder;
        EndlessWriter writer(folder / "t.db");
        writer.wait_for_rows(1 + 20 * round);
        std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
        const int acknowledged = writer.kill();
        ASSERT_GT(acknowledged, 0);

        // The lock died with its process, and work continues where it was.
        Table table = Table::open(folder / "t.db", OpenMode::create, &test_device);
        EXPECT_GE(table.size(), acknowledged);
        EXPECT_LE(table.size(), acknowledged + 1);
        for (int number = 0; number < acknowledged; ++number) {
            ASSERT_EQ(table.find(numbered_row(number).key), numbered_row(number));
        }
        EXPECT_TRUE(check_table(folder / "t.db").sound());
        table.put(numbered_row(100'000));
    }
}

TEST(TableWriters, KilledWhileCreatingLeaveNoHalfTable) {
    for (int round = 0; round < 12; ++round) {
        const TempFolder folder;
        {
            EndlessWriter writer(folder / "t.db");
            std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
        }
        const Table table = Table::open(folder / "t.db", OpenMode::create, &test_device);
        EXPECT_EQ(table.device(), test_device);
    }
}

TEST(TableWriters, AreToldWhoWrites) {
    const TempFolder folder;
    EndlessWriter writer(folder / "t.db");
    writer.wait_for_rows(1);
    for (const OpenMode mode : {OpenMode::write, OpenMode::create}) {
        expect_error<WorkError>([&] { Table::open(folder / "t.db", mode, &test_device); },
                                {"t.db", "process " + std::to_string(writer.pid()) + ";"});
    }
    fs::create_symlink(folder / "t.db", folder / "link.db");  // another name of the same table
    expect_error<WorkError>([&] { Table::open(folder / "link.db", OpenMode::write); }, {"being written"});
    writer.kill();
    Table::open(folder / "link.db", OpenMode::write);
}

TEST(TableWriters, ExcludeEachOtherWithinAProcess) {
    const TempFolder folder;
    {
        const Table first = make_table(folder / "t.db", {});
        EXPECT_THROW(Table::open(folder / "t.db", OpenMode::write), WorkError);
    }
    Table::open(folder / "t.db", OpenMode::write);
}

TEST(TableWriters, NeverLetTwoPutAtOnce) {
    const TempFolder folder;
    { make_table(folder / "t.db", {}); }
    constexpr int processes = 4;
    constexpr int rows_each = 15;
    std::vector<pid_t> children;
    for (int process = 0; process < processes; ++process) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (int row = 0; row < rows_each;) {
                try {
                    Table table = Table::open(folder / "t.db", OpenMode::write);
                    table.put(numbered_row(process * rows_each + row));
                    ++row;
                } catch (const WorkError&) {
                    ::usleep(200);
                } catch (...) {
                    ::_exit(1);
                }
            }
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(Table::open(folder / "t.db", OpenMode::read).size(), processes * rows_each);
    EXPECT_FALSE(fs::exists(folder / "t.db.lock"));
}

TEST(TableWriters, DoNotHoldUpReaders) {
    const TempFolder folder;
    EndlessWriter writer(folder / "t.db");
    writer.wait_for_rows(5);
    const Table reader = Table::open(folder / "t.db", OpenMode::read);
    std::int64_t before = 0;
    for (int round = 1; round <= 10; ++round) {
        writer.wait_for_rows(5 * round);
        const auto rows = static_cast<std::int64_t>(reader.query({}).size());
        EXPECT_GE(rows, 5 * round);
        EXPECT_GE(rows, before);
        before = rows;
    }
}

// A limit on the size of files stands for the full disk: SQLite meets both as a write that fails.
TEST(TableWriters, KeepWhatTheyHaveWhenTheDiskIsFull) {
    const TempFolder folder;
    const int status = in_child([&] {
        Table table = Table::open(folder / "t.db", OpenMode::create, &test_device);
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{400'000, 400'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        int number = 0;
        expect_error<WorkError>(
            [&] {
                for (; number < 100'000; ++number) table.put(numbered_row(number));
            },
            {"t.db", "every row that was committed is kept"});
        EXPECT_GT(number, 10);
        EXPECT_EQ(table.size(), number);
        for (int put = 0; put < number; ++put) ASSERT_TRUE(table.find(numbered_row(put).key));
    });
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(check_table(folder / "t.db").sound());
    Table::open(folder / "t.db", OpenMode::write).put(numbered_row(100'000));
}

TEST(TableWriters, SayThatTheDiskIsFull) {
    const TempFolder folder;
    const int status = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{8192, 8192};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        expect_error<WorkError>([&] { Table::open(folder / "t.db", OpenMode::create, &test_device); },
                                {"t.db"});
    });
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(fs::exists(folder / "t.db"));
    EXPECT_FALSE(fs::exists(folder / "t.db.new"));
}

TEST(ReplacedTable, IsNoticedByItsWriter) {
    const TempFolder folder;
    const std::filesystem::path file = folder / "t.db";
    for (const bool replaced : {false, true}) {
        Table table = make_table(file, {warm_row(conv(8, 8), 1.0)});
        std::filesystem::rename(file, folder / "moved.db");
        if (replaced) std::ofstream(file) << "something else";
        try {
            table.put(warm_row(conv(8, 16), 2.0));
            ADD_FAILURE() << "the row went nowhere";
        } catch (const WorkError& error) {
            EXPECT_NE(std::string(error.what()).find("removed or replaced"), std::string::npos)
                << error.what();
        }
        std::filesystem::remove(file);
    }
}

// SQLite would leave the log beside the file that took the table's name, and take it for that one's.
TEST(ReplacedTable, KeepsItsRowsAndLeavesTheOtherOneAlone) {
    const TempFolder folder;
    const fs::path file = folder / "t.db";
    for (const bool noticed : {false, true}) {
        {
            Table table = make_table(file, {numbered_row(0), numbered_row(1)});
            { make_table(folder / "other.db", {numbered_row(2)}); }
            fs::rename(file, folder / "moved.db");
            fs::rename(folder / "other.db", file);
            if (noticed) {
                expect_error<WorkError>([&] { table.put(numbered_row(3)); }, {"t.db", "removed or replaced"});
            }
        }
        EXPECT_EQ(Table::open(folder / "moved.db", OpenMode::read).size(), 2);
        EXPECT_TRUE(check_table(folder / "moved.db").sound());
        EXPECT_EQ(Table::open(file, OpenMode::read).query({}), std::vector{numbered_row(2)});
        EXPECT_TRUE(check_table(file).sound());
        fs::remove(file);
    }
}

TEST(ReplacedTable, IsNoticedByItsReader) {
    const TempFolder folder;
    const fs::path file = folder / "t.db";
    { make_table(file, {numbered_row(0)}); }
    const Table table = Table::open(file, OpenMode::read);
    EXPECT_TRUE(table.find(numbered_row(0).key));
    fs::rename(file, folder / "moved.db");
    expect_error<WorkError>([&] { table.query({}); }, {"t.db", "while it was read"});
    { make_table(file, {numbered_row(1)}); }
    expect_error<WorkError>([&] { table.find(numbered_row(0).key); }, {"t.db", "while it was read"});
}

TEST(TableCutShort, IsNoticedByItsWriter) {
    const TempFolder folder;
    const fs::path file = folder / "t.db";
    { make_table(file, {numbered_row(0)}); }
    Table table = Table::open(file, OpenMode::write);
    table.put(numbered_row(1));
    fs::resize_file(file, fs::file_size(file) / 2);
    expect_error<WorkError>([&] { table.put(numbered_row(2)); }, {"t.db", "cut short"});
}

TEST(LockOfATable, IsNeitherALinkNorAPipe) {
    const TempFolder folder;
    const std::filesystem::path file = folder / "t.db";
    { make_table(file, {warm_row(conv(8, 8), 1.0)}); }
    const std::filesystem::path precious = folder / "precious";
    std::ofstream(precious) << "precious";
    std::filesystem::create_symlink(precious, folder / "t.db.lock");
    EXPECT_THROW(Table::open(file, OpenMode::write), WorkError);
    EXPECT_EQ(std::filesystem::file_size(precious), 8u);
    std::filesystem::remove(folder / "t.db.lock");
    ASSERT_EQ(::mkfifo((folder / "t.db.lock").c_str(), 0600), 0);
    EXPECT_THROW(Table::open(file, OpenMode::write), WorkError);
    std::filesystem::remove(folder / "t.db.lock");
    EXPECT_EQ(Table::open(file, OpenMode::write).size(), 1);
}

TEST(HardLinkedTable, IsNotWritten) {
    const TempFolder folder;
    const std::filesystem::path file = folder / "t.db";
    { make_table(file, {warm_row(conv(8, 8), 1.0)}); }
    std::filesystem::create_hard_link(file, folder / "other.db");
    for (const char* name : {"t.db", "other.db"}) {
        try {
            Table::open(folder / name, OpenMode::write);
            FAIL();
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), ::testing::HasSubstr("has 2 names (hard links)"));
        }
        EXPECT_EQ(Table::open(folder / name, OpenMode::read).size(), 1);
    }
    { make_table(folder / "more.db", {warm_row(conv(8, 16), 1.0)}); }
    expect_error<InputError>(
        [&] { merge_tables({folder / "more.db"}, folder / "other.db", {.append = true}); },
        {"has 2 names (hard links)"});
    EXPECT_EQ(Table::open(file, OpenMode::read).size(), 1);
    std::filesystem::remove(folder / "other.db");
    EXPECT_EQ(Table::open(file, OpenMode::write).size(), 1);
}

}  // namespace
}  // namespace hacscale
