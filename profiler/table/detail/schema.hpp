// The table's file: its SQL schema, how a file is made, and how one is told from anything else when it is
// opened. The schema is described for users in docs/formats.md, "The table".
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "profiler/table/records.hpp"

namespace hacscale::detail {

constexpr std::int64_t application_id = 0x48414353;  // "HACS"
constexpr std::int64_t schema_version = 6;

// The columns of a row's key, in `measurement` and `kernel`.
inline constexpr std::array<std::string_view, 5> key_columns{"layer_id", "batch", "dtype", "cache",
                                                             "footprint_bytes"};

// The columns of the SQL table `measurement`: the row's key, then row_columns(); "m.layer_id, m.batch, ..." for the
// prefix "m.".
std::string list_of_columns(std::string_view prefix);

// The columns of the SQL table `kernel`, in their order there: the key of its row, then the kernel.
inline constexpr std::string_view kernel_columns =
    "layer_id, batch, dtype, cache, footprint_bytes, position, name, grid_x, grid_y, grid_z, block_x, "
    "block_y, "
    "block_z, registers_per_thread, static_shared_bytes, dynamic_shared_bytes, duration_us, "
    // since schema 4
    "cluster_x, cluster_y, cluster_z, max_active_clusters";

// Of an open database ("main", or the name of an attached one). InputError unless it is a table of a schema
// that can be read.
std::int64_t schema_version_of(const Database& database);

// SELECTs that give the rows of `measurement` and `kernel` with the columns of this schema, whatever the
// schema of the file. Readings that an earlier schema's program took wrongly are absent, with their reason.
std::string select_measurements(std::string_view database, std::int64_t version);
std::string select_kernels(std::string_view database, std::int64_t version);

// Makes the file complete at once: it is written under another name and renamed, so that a process killed on
// the way leaves no half-made table. The caller holds the writer's lock.
void create_table_file(const std::filesystem::path& file, const DeviceRecord& device);

// Opens a file for reading (SQLite then refuses writes) or writing after checking that it is a table of this
// schema or of an earlier one. The latter is upgraded when it is opened for writing; when it is read, views
// with the names of its SQL tables give it the columns that it lacks. Nothing is scanned, except once by an
// upgrade: the time does not depend on the number of rows. Errors: see Table::open.
Database open_table_file(const std::filesystem::path& file, bool writable);

// Throws InputError for a file that has anything but the tables of this schema, or lacks one of them or a column.
void check_schema(const Database& database, std::int64_t version);

// Throws InputError where there is none, or its properties are no JSON object.
DeviceRecord read_device(const Database& database);

// Puts a finished file in place of `file`, so that it is there after a crash of the machine too. Side files
// of an earlier file of that name are removed: SQLite would take them for the new one's.
void publish(const std::filesystem::path& finished, const std::filesystem::path& file);

// Removes a database file and what SQLite may have left beside it. Does not throw.
void remove_database(const std::filesystem::path& file) noexcept;

// The path with something appended to the file name: "table.db" + "-wal".
std::filesystem::path beside(std::filesystem::path file, const char* suffix);

}  // namespace hacscale::detail
