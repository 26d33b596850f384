#include "profiler/table/detail/table_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/replace_file.hpp"
#include "profiler/table/detail/schema.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t header_size = 100;

std::uintmax_t size_or_zero(const fs::path& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    return error ? 0 : size;
}

// The lock and SQLite's log belong to the name, not to the file: two writers under two names would not see each other, and a log that
// one of them left behind would not be found under the other.
void require_one_name(const fs::path& file) {
    struct stat status = {};
    const bool is_file = ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (!is_file || status.st_nlink <= 1) return;
    throw InputError(
        fmt::format("{} has {} names (hard links), and a table is written under one name only; remove the "
                    "other names, or write into a copy (cp)",
                    file.string(), status.st_nlink));
}

bool has_log(const fs::path& file) {
    return size_or_zero(beside(file, "-wal")) > 0;
}

// What can be said of a file before SQLite sees it, in better words than SQLite's.
void check_file(const fs::path& file) {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    const std::string name = file.string();
    if (!fs::exists(status)) {
        throw InputError(fmt::format("{} does not exist; make a table with `hacscale profile`", name));
    }
    if (fs::is_directory(status)) {
        throw InputError(fmt::format("{} is a folder, expected a table's file; name the file in it", name));
    }
    if (!fs::is_regular_file(status)) {
        throw InputError(fmt::format("{} is no regular file, expected a table; name another file", name));
    }
    std::array<char, header_size> header{};
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw WorkError(
            fmt::format("{}: cannot be read: {}; check its permissions", name, std::strerror(errno)));
    }
    stream.read(header.data(), header.size());
    const auto length = static_cast<std::size_t>(stream.gcount());
    if (length == 0) {
        throw InputError(fmt::format("{} is empty, expected a table; remove it or name another file", name));
    }
    const std::size_t compared = std::min(length, magic.size());
    if (std::string_view(header.data(), compared) != magic.substr(0, compared)) {
        throw InputError(fmt::format(
            "{} is no table: it does not begin as a SQLite file does; name a file made by `hacscale profile`",
            name));
    }
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(header[index]); };
    const auto require = [&name](bool holds) {
        if (holds) return;
        throw InputError(fmt::format(
            "{} is cut short or damaged; restore it from a copy or measure again into a new file", name));
    };
    // The format's versions for writing and for reading. SQLite would open a file of a later one, and then refuse to write it.
    const auto is_version = [](unsigned char version) { return version == 1 || version == 2; };
    require(length < header_size || (is_version(byte(18)) && is_version(byte(19))));
    // While a log is beside the file, its pages count too and SQLite itself judges.
    if (has_log(file)) return;
    const unsigned stored_page_size = byte(16) * 256U + byte(17);
    const unsigned page_size = stored_page_size == 1 ? 65536 : stored_page_size;
    require(length >= header_size && page_size != 0 && size_or_zero(file) % page_size == 0);
}

// On a full disk there is no room for the log's index. The attempt to make one has left empty files; SQLite takes
// them away, and brings a log's rows into the file, where it has the file to itself.
Database open_on_full_disk(const fs::path& file) {
    {
        const Database alone(file, Access::alone);
        std::error_code ignored;
        if (alone.probe() == SQLITE_OK) fs::remove(beside(file, "-shm"), ignored);
    }
    if (!has_log(file)) return Database(file, Access::immutable);
    Database alone(file, Access::alone);
    if (const int code = alone.probe(); code != SQLITE_OK) alone.fail(code, "read it as a table");
    return alone;
}

bool lacks_room_for_index(int code) {
    return code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMMAP;
}

// A folder that cannot be written has no place for the log's index; without a log the file can be read as it
// stands.
Database open_for_reading(const fs::path& file) {
    // Whoever may write the folder and not the file would leave a log's index there that is theirs, and keep the owner out.
    const bool writable = ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0;
    if (!writable && !has_log(file)) return Database(file, Access::immutable);
    int code = SQLITE_OK;
    {
        Database database(file, Access::existing);
        code = database.probe();
        if (code == SQLITE_OK) return database;
        const int primary = code & 0xff;
        if (!lacks_room_for_index(code) && primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY) {
            database.fail(code, "read it as a table");
        }
    }
    if (lacks_room_for_index(code)) return open_on_full_disk(file);
    if (has_log(file)) {
        throw WorkError(
            fmt::format("{}: some of its rows are still in the log {}-wal, which can only be read where the "
                        "folder can be "
                        "written; copy both files to such a folder",
                        file.string(), file.string()));
    }
    return Database(file, Access::immutable);
}

void sync_path(const fs::path& path) {
    if (bring_to_disk(path)) return;
    throw WorkError(fmt::format("{}: cannot be written to the disk: {}; check the disk and run again",
                                path.string(), std::strerror(errno)));
}

}  // namespace

fs::path beside(fs::path file, const char* suffix) {
    file += suffix;
    return file;
}

void remove_database(const fs::path& file) noexcept {
    std::error_code ignored;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) fs::remove(beside(file, suffix), ignored);
}

void publish(const fs::path& finished, const fs::path& file) {
    // SQLite says nothing when it cannot bring a log's rows into the file as it closes it.
    if (has_log(finished)) {
        throw WorkError(fmt::format(
            "{}: some of its rows could not be written; check the disk, free some space and run again",
            file.string()));
    }
    sync_path(finished);
    std::error_code error;
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(beside(file, suffix), error);
    fs::rename(finished, file, error);
    if (error) {
        throw WorkError(fmt::format("{}: cannot be put in place: {}; check that its folder can be written",
                                    file.string(), error.message()));
    }
    sync_path(file.parent_path());
}

void create_table_file(const fs::path& file, const DeviceRecord& device) {
    const fs::path unfinished = beside(file, ".new");
    remove_database(unfinished);
    try {
        write_schema(unfinished, device);
        publish(unfinished, file);
    } catch (...) {
        remove_database(unfinished);
        throw;
    }
}

Database open_table_file(const fs::path& file, bool writable) {
    check_file(file);
    if (!writable) {
        Database database = open_for_reading(file);
        const std::int64_t version = schema_version_of(database);
        check_schema(database, version);
        if (version < schema_version) read_as_this_schema(database, version);
        database.execute("PRAGMA query_only = 1");
        return database;
    }
    require_one_name(file);
    Database database(file, Access::existing);
    if (const int code = database.probe(); code != SQLITE_OK) database.fail(code, "read it as a table");
    const std::int64_t version = schema_version_of(database);
    check_schema(database, version);
    database.execute(
        "BEGIN IMMEDIATE; ROLLBACK");  // a file that cannot be written is refused now, not at the first row
    if (version < schema_version) upgrade(database, version);
    // FULL: a row that was put is on the disk, not only in the system's cache.
    database.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    return database;
}

}  // namespace hacscale::detail
