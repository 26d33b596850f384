// Options that several commands share, declared once so that they mean and say the same everywhere.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "models/layer_spec.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::cli {

// --batch, --dtype and --cache as text; the accessors throw InputError listing the names that are known.
struct MeasureOptions {
    int batch = 1;
    std::string dtype = "f32";
    std::string cache = "network";

    DataType type() const { return data_type_from_name(dtype); }
    CacheState cache_state() const { return cache_state_from_name(cache); }
};

void add_batch_and_dtype(CLI::App& parser, MeasureOptions& options);
void add_measure_options(CLI::App& parser, MeasureOptions& options);  // the above and --cache

void add_device_option(CLI::App& parser, std::string& device);

}  // namespace hacscale::cli
