// The little of SQLite that accuracy records need. Return codes become errors that name the file and give
// SQLite's own text: a damaged or foreign file is an InputError, anything else a WorkError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace hacscale::detail {

class SqliteFile;

// A prepared statement. Parameters count from 1, columns from 0, as in SQLite.
class SqliteStatement {
public:
    SqliteStatement(const SqliteFile& file, std::string_view sql);
    SqliteStatement& bind(int index, std::int64_t value);
    SqliteStatement& bind(int index, double value);
    SqliteStatement& bind(int index, std::string_view text);
    bool step();  // true: a row is there to be read
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };
    void check(int code) const;

    const SqliteFile& file_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class SqliteFile {
public:
    // `create`: for writing, made if it is not there; else it must be there and is only read.
    SqliteFile(const std::filesystem::path& file, bool create);
    void execute(const char* sql) const;
    std::int64_t integer(std::string_view sql) const;  // first column of the first row
    std::int64_t changes() const;                      // rows that the last statement wrote
    [[noreturn]] void fail(int code) const;
    sqlite3* handle() const { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::filesystem::path file_;
    std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace hacscale::detail
