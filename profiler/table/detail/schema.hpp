// The table's file: its SQL schema, how a file is made, and how one is told from anything else when it is
// opened. The schema is described for users in docs/formats.md, "The table".
#pragma once

#include <cstdint>
#include <filesystem>

#include "profiler/table/detail/sqlite.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::detail {

constexpr std::int64_t application_id = 0x48414353;  // "HACS"
constexpr std::int64_t schema_version = 1;

// Makes the file complete at once: it is written under another name and renamed, so that a process killed on
// the way leaves no half-made table. The caller holds the writer's lock.
void create_table_file(const std::filesystem::path& file, const DeviceRecord& device);

// Opens a file for reading (SQLite then refuses writes) or writing after checking that it is a table of this
// schema. Nothing is scanned: the time does not depend on the number of rows. Errors: see Table::open.
Database open_table_file(const std::filesystem::path& file, bool writable);

DeviceRecord read_device(const Database& database);

// Puts a finished file in place of `file`, so that it is there after a crash of the machine too. Side files
// of an earlier file of that name are removed: SQLite would take them for the new one's.
void publish(const std::filesystem::path& finished, const std::filesystem::path& file);

// Removes a database file and what SQLite may have left beside it. Does not throw.
void remove_database(const std::filesystem::path& file) noexcept;

// The path with something appended to the file name: "table.db" + "-wal".
std::filesystem::path beside(std::filesystem::path file, const char* suffix);

}  // namespace hacscale::detail
