#include "training/detail/sqlite_file.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"

namespace hacscale::detail {
namespace {

constexpr int busy_timeout_ms =
    60'000;  // other writers are done within milliseconds, on slow file systems seconds

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

SqliteStatement::SqliteStatement(const SqliteFile& file, std::string_view sql) : file_(file) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v2(file.handle(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    handle_.reset(statement);
    check(code);
}

void SqliteStatement::check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) file_.fail(code);
}

SqliteStatement& SqliteStatement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(handle_.get(), index, value));
    return *this;
}

SqliteStatement& SqliteStatement::bind(int index, double value) {
    check(sqlite3_bind_double(handle_.get(), index, value));
    return *this;
}

SqliteStatement& SqliteStatement::bind(int index, std::string_view text) {
    // An empty view may hold a null pointer, which SQLite would take for NULL.
    const char* data = text.empty() ? "" : text.data();
    check(sqlite3_bind_text(handle_.get(), index, data, static_cast<int>(text.size()), SQLITE_TRANSIENT));
    return *this;
}

bool SqliteStatement::step() {
    const int code = sqlite3_step(handle_.get());
    check(code);
    return code == SQLITE_ROW;
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

double SqliteStatement::real(int column) const {
    return sqlite3_column_double(handle_.get(), column);
}

std::string SqliteStatement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(handle_.get(), column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

void SqliteFile::Close::operator()(sqlite3* handle) const {
    sqlite3_close(handle);
}

SqliteFile::SqliteFile(const std::filesystem::path& file, bool create) : file_(file) {
    sqlite3* handle = nullptr;
    const int flags = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
}

void SqliteFile::execute(const char* sql) const {
    const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::int64_t SqliteFile::integer(std::string_view sql) const {
    SqliteStatement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::int64_t SqliteFile::changes() const {
    return sqlite3_changes(handle_.get());
}

void SqliteFile::fail(int code) const {
    const int primary = code & 0xff;
    const char* text = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        throw InputError(
            fmt::format("{}: expected accuracy records, but the file is damaged or something else ({}); "
                        "restore it from a copy or name another file",
                        file_.string(), text));
    }
    throw WorkError(
        fmt::format("{}: cannot use the accuracy records: {} (SQLite code {}); check that the file, its "
                    "folder and the disk can be written",
                    file_.string(), text, code));
}

}  // namespace hacscale::detail
