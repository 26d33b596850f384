#include "base/sqlite/sqlite.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/text/utf8.hpp"

namespace hacscale::detail {
namespace {

constexpr int busy_timeout_ms =
    20'000;  // writers exclude each other elsewhere; this covers recovery and checkpoints

// SQLite's code for a full disk is of the file itself; the log's index that cannot grow is an I/O error to it.
bool is_full_disk(int code, int system_error) {
    const int primary = code & 0xff;
    return primary == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE ||
           (primary == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT));
}

// What the user can do; nothing where an error is the program's own.
std::string_view advice(int primary_code) {
    switch (primary_code) {
        case SQLITE_FULL:
            return "free some space and run again: every row that was committed is kept";
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return "check that the file and its folder can be written by this user";
        case SQLITE_IOERR:
            return "check the disk and run again: every row that was committed is kept";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "another program holds the file; close it and run again";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "the file is damaged, cut short or something else; restore it from a copy or name "
                   "another file";
        case SQLITE_ERROR:  // of a statement that every file of this program's takes
        case SQLITE_CONSTRAINT:
            return "its tables or rows are not those that this program makes; restore it from a copy or name "
                   "another file";
        default:
            return {};
    }
}

[[noreturn]] void throw_error(int code, int system_error, const std::string& file, std::string_view doing,
                              const char* detail, const Place& where) {
    const bool full = is_full_disk(code, system_error);
    const int primary = full ? SQLITE_FULL : code & 0xff;
    const std::string message = fmt::format("{}: cannot {}: {} (SQLite code {}); ", file, doing,
                                            full ? "there is no room on its disk" : as_utf8(detail), code);
    const std::string_view remedy = advice(primary);
    if (remedy.empty()) {
        throw WorkError(
            message + "this is not expected; check the file with SQLite's own `PRAGMA integrity_check`",
            where);
    }
    const std::string text = message + std::string(remedy);
    const bool is_the_files_fault = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
                                    primary == SQLITE_ERROR || primary == SQLITE_CONSTRAINT;
    if (is_the_files_fault) throw InputError(text);
    throw WorkError(text);
}

void check(sqlite3_stmt* statement, int code, std::string_view doing, const Place& where) {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    sqlite3* database = sqlite3_db_handle(statement);
    const char* file = sqlite3_db_filename(database, "main");
    throw_error(sqlite3_extended_errcode(database), sqlite3_system_errno(database),
                file == nullptr ? "" : file, doing, sqlite3_errmsg(database), where);
}

// SQLite reads '?', '#' and '%' in a URI's path as marks of its own.
std::string uri_of(const std::filesystem::path& file, Access access) {
    std::string uri = "file:";
    for (const char character : std::filesystem::absolute(file).string()) {
        if (character == '?' || character == '#' || character == '%') {
            uri += fmt::format("%{:02X}", static_cast<unsigned char>(character));
        } else {
            uri += character;
        }
    }
    if (access == Access::immutable) uri += "?immutable=1";
    return uri;
}

int open_flags(Access access) {
    const int common = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    switch (access) {
        case Access::existing:
        case Access::alone:
            return common | SQLITE_OPEN_READWRITE;
        case Access::create:
            return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        case Access::immutable:
            return common | SQLITE_OPEN_READONLY;
    }
    return common;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

Statement::Statement(sqlite3_stmt* handle) : handle_(handle) {}

void Statement::bind(int index, std::int64_t value, const Place& where) {
    check(handle_.get(), sqlite3_bind_int64(handle_.get(), index, value), "bind an integer", where);
}

void Statement::bind(int index, double value, const Place& where) {
    check(handle_.get(), sqlite3_bind_double(handle_.get(), index, value), "bind a number", where);
}

void Statement::bind(int index, std::string_view text, const Place& where) {
    // text() refuses what is no UTF-8 and zero bytes, so neither is written.
    if (!is_utf8(text)) return bind(index, as_utf8(text), where);
    if (has_zero_byte(text)) return bind(index, printable(text), where);
    // An empty view may hold a null pointer, which SQLite would take for NULL.
    const char* data = text.empty() ? "" : text.data();
    check(handle_.get(),
          sqlite3_bind_text(handle_.get(), index, data, static_cast<int>(text.size()), SQLITE_TRANSIENT),
          "bind a text", where);
}

void Statement::bind(int index, const std::optional<double>& value, const Place& where) {
    value ? bind(index, *value, where) : bind_null(index, where);
}

void Statement::bind_null(int index, const Place& where) {
    check(handle_.get(), sqlite3_bind_null(handle_.get(), index), "bind an absent value", where);
}

bool Statement::step(const Place& where) {
    const int code = sqlite3_step(handle_.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        check(handle_.get(), code, sqlite3_stmt_readonly(handle_.get()) != 0 ? "read" : "write", where);
    }
    return code == SQLITE_ROW;
}

void Statement::run(const Place& where) {
    ResetOnExit reset_on_exit(*this);
    while (step(where)) {
    }
}

// The code that sqlite3_reset returns repeats the error of the last step, which was thrown there.
void Statement::reset() {
    sqlite3_reset(handle_.get());
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(handle_.get(), column);
}

std::optional<double> Statement::optional_real(int column) const {
    if (is_null(column)) return std::nullopt;
    return real(column);
}

std::string_view Statement::text(int column) const {
    const unsigned char* data = sqlite3_column_text(handle_.get(), column);
    if (data == nullptr) return {};
    const std::string_view text(reinterpret_cast<const char*>(data),
                                static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
    if (!is_utf8(text) || has_zero_byte(text)) {
        const char* file = sqlite3_db_filename(sqlite3_db_handle(handle_.get()), "main");
        const char* name = sqlite3_column_name(handle_.get(), column);
        throw InputError(
            fmt::format("{}: a text of the column {} {}, so the file is damaged; restore it from a copy or "
                        "measure again",
                        file == nullptr ? "" : file, name == nullptr ? "" : name,
                        is_utf8(text) ? "has a zero byte" : "is no UTF-8"));
    }
    return text;
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* handle) const {
    const int code = sqlite3_close(handle);
    if (code != SQLITE_OK) spdlog::error("closing a table: {}", sqlite3_errstr(code));
}

Database::Database(const std::filesystem::path& file, Access access)
    : file_(file), uri_(uri_of(file, access)) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(uri_.c_str(), &handle, open_flags(access), nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code, "open it");
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);  // of files; temporary ones are ours
    execute("PRAGMA cell_size_check = 1");
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    if (access == Access::alone) execute("PRAGMA locking_mode = EXCLUSIVE");
}

void Database::execute(const std::string& sql, const Place& where) const {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, "write", where);
}

Statement Database::prepare(std::string_view sql, const Place& where) const {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), 0, &statement, nullptr);
    if (code != SQLITE_OK) fail(code, "read", where);
    return Statement(statement);
}

std::int64_t Database::integer(std::string_view sql, const Place& where) const {
    Statement statement = prepare(sql, where);
    return statement.step(where) ? statement.integer(0) : 0;
}

int Database::probe() const {
    return sqlite3_exec(handle_.get(), "PRAGMA schema_version", nullptr, nullptr, nullptr);
}

void Database::fail(int code, std::string_view doing, const Place& where) const {
    throw_error(code, handle_ ? sqlite3_system_errno(handle_.get()) : 0, file_.string(), doing,
                handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code), where);
}

Transaction::Transaction(const Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (!open_) return;
    try {
        database_.execute("ROLLBACK");
    } catch (const Error& error) {
        // After some errors, a full disk among them, SQLite has rolled back already.
        spdlog::debug("{}", error.what());
    }
}

void Transaction::commit() {
    database_.execute("COMMIT");
    open_ = false;
}

}  // namespace hacscale::detail
