// A table's file: how it is made, how it is told from anything else as it is opened, and how one takes the place of another.
#pragma once

#include <filesystem>

#include "base/sqlite/sqlite.hpp"
#include "profiler/table/records.hpp"

namespace hacscale::detail {

// Makes the file complete at once: it is written under another name and renamed, so that a process killed on
// the way leaves no half-made table. The caller holds the writer's lock.
void create_table_file(const std::filesystem::path& file, const DeviceRecord& device);

// Opens a file for reading (SQLite then refuses writes) or writing after checking that it is a table of this
// schema or of an earlier one. The latter is upgraded when it is opened for writing; when it is read, views
// with the names of its SQL tables give it the columns that it lacks. Nothing is scanned, except once by an
// upgrade: the time does not depend on the number of rows. Errors: see Table::open.
Database open_table_file(const std::filesystem::path& file, bool writable);

// Puts a finished file in place of `file`, so that it is there after a crash of the machine too. Side files
// of an earlier file of that name are removed: SQLite would take them for the new one's.
void publish(const std::filesystem::path& finished, const std::filesystem::path& file);

// Removes a database file and what SQLite may have left beside it. Does not throw.
void remove_database(const std::filesystem::path& file) noexcept;

// The path with something appended to the file name: "table.db" + "-wal".
std::filesystem::path beside(std::filesystem::path file, const char* suffix);

}  // namespace hacscale::detail
