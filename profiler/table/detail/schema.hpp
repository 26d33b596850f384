// The SQL schema of a table: what a new file has, how one of an earlier schema is upgraded or read as this one, and how a file is held to
// it. It is described for users in docs/formats.md, "The table"; files are opened by table_file.hpp.
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

// Makes the schema in a new file, and writes the device.
void write_schema(const std::filesystem::path& file, const DeviceRecord& device);
// Brings a file of this earlier schema to the present one.
void upgrade(const Database& database, std::int64_t version);
// Puts views with the names of its SQL tables before those of an earlier schema, which give it the columns that it lacks.
void read_as_this_schema(const Database& database, std::int64_t version);

// Throws InputError for a file that has anything but the tables of this schema, or lacks one of them or a column.
void check_schema(const Database& database, std::int64_t version);

// Throws InputError where there is none, or its properties are no JSON object.
DeviceRecord read_device(const Database& database);

}  // namespace hacscale::detail
