// Owners of SQLite's handles, and the one place where its return codes are turned into errors: a damaged file, or one with other tables,
// is an InputError, anything else (a full disk, a read-only folder, a lock) a WorkError; both name the file
// and give SQLite's own text, and an error that no user can mend names the caller's place in the sources. Handles
// stay with the folders that keep tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hacscale::detail {

// A prepared statement. Indices of parameters start at 1, of columns at 0, as in SQLite.
class Statement {
public:
    explicit Statement(sqlite3_stmt* handle);

    void bind(int index, std::int64_t value, const Place& where = Place::current());
    void bind(int index, double value, const Place& where = Place::current());
    void bind(int index, std::string_view text, const Place& where = Place::current());
    void bind(int index, const std::optional<double>& value, const Place& where = Place::current());
    void bind_null(int index, const Place& where = Place::current());

    bool step(const Place& where = Place::current());  // true: a row is there to be read
    void run(
        const Place& where = Place::current());  // steps to the end and resets; for statements without rows
    void reset();

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::optional<double> optional_real(int column) const;
    // Valid until the next step or reset. Throws InputError for bytes that are no UTF-8: the file is damaged.
    std::string_view text(int column) const;
    bool is_null(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Resets a statement that is kept for reuse, also when an exception passes.
class ResetOnExit {
public:
    explicit ResetOnExit(Statement& statement) : statement_(statement) {}
    ~ResetOnExit() { statement_.reset(); }
    ResetOnExit(const ResetOnExit&) = delete;
    ResetOnExit& operator=(const ResetOnExit&) = delete;

private:
    Statement& statement_;
};

enum class Access {
    existing,   // read and write as far as the file system lets us; the file must be there
    create,     // as existing, but makes the file
    immutable,  // read only, without lock or side files: for a folder where these cannot be made
    alone,  // as existing, but nobody else may have the file open, and the log needs no index: for a full disk
};

// A file of others may have been made to do harm: what it defines beyond tables (triggers, views, functions in its schema) is
// never run.
class Database {
public:
    Database(const std::filesystem::path& file, Access access);

    const std::filesystem::path& file() const { return file_; }
    // The URI that ATTACH takes to open the same file in the same way.
    const std::string& uri() const { return uri_; }

    void execute(const std::string& sql, const Place& where = Place::current())
        const;  // one or more statements; rows are passed over
    Statement prepare(std::string_view sql, const Place& where = Place::current()) const;
    std::int64_t integer(std::string_view sql,
                         const Place& where = Place::current()) const;  // the first column of the first row
    // Result code of the error, or 0, of a first read of the file; nothing is thrown.
    int probe() const;
    [[noreturn]] void fail(int code, std::string_view doing, const Place& where = Place::current()) const;

private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::filesystem::path file_;
    std::string uri_;
    std::unique_ptr<sqlite3, Close> handle_;
};

// Rolls back unless commit() was called.
class Transaction {
public:
    explicit Transaction(const Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    const Database& database_;
    bool open_ = true;
};

}  // namespace hacscale::detail
