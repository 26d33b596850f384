// Rows that other programs measured, elsewhere: a Jetson, a phone, another tool's table. They go into a table of their own,
// whose device is the one that they name, so that they never mix with what this program measured here.
//
// Every reader is strict: an InputError names the file, the place and what was expected, and then nothing was imported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/tabular/tabular.hpp"
#include "models/graph/graph.hpp"
#include "profiler/table/records.hpp"
#include "profiler/table/row.hpp"

namespace hacscale {

// The id of a device that rows were imported for. Nothing can be measured on it.
inline constexpr std::string_view imported_device_id = "imported";

inline bool is_imported(const DeviceRecord& device) {
    return device.id == imported_device_id;
}

// Its fingerprint is a hash of the name and the software ("TensorRT 10.3"; may be empty), which therefore say what must match
// for rows to be comparable. InputError for an empty name.
DeviceRecord imported_device(const std::string& name, const std::string& software);

// What a file does not say itself.
struct ImportSettings {
    std::string device{};    // a name; empty: the file has it
    std::string software{};  // with its version; empty: the file has it, or it is not known
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    std::int64_t footprint_bytes = 0;  // of the network that layers were timed in; 0: not known
    // Tools that measure a conv by its sizes alone say nothing of its bias, activation, residual and padding. Such a row
    // counts for each form in which these networks have a conv of its kernel, stride and map, depthwise or not. Without networks
    // it is a conv with a bias, half its kernel as padding, and nothing else.
    std::vector<Graph> networks{};
};

struct ImportedRows {
    DeviceRecord device;
    std::vector<Row> rows;
    std::int64_t entries = 0;          // of the file
    std::vector<std::string> ignored;  // what the file has that no row can hold, a sentence each
};

// CSV or JSON with the columns of docs/formats.md, "Rows measured elsewhere"; what write_csv() and write_json() write can be
// read back, with the device's name given. An object of JSON has its rows under "rows".
ImportedRows import_rows(const std::filesystem::path& file, TabularFormat format,
                         const ImportSettings& settings);

// HALP's or MDP's pickle (profiler/table/export.hpp): keys of six or seven numbers, milliseconds; the batch is the key's.
ImportedRows import_halp(const std::filesystem::path& file, const ImportSettings& settings);

namespace detail {

// A conv of sizes alone, as depthwise or dense conv, in the forms that the settings ask for.
std::vector<LayerSpec> forms_of(const LayerSpec& plain, const ImportSettings& settings);

}  // namespace detail

}  // namespace hacscale
