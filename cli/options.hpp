// Options that several commands share, declared once so that they mean and say the same everywhere.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/parser_fwd.hpp"
#include "harness/events.hpp"
#include "harness/measure/device_access.hpp"
#include "profiler/measure_networks.hpp"
#include "scaling/planner/pareto_front.hpp"
#include "scaling/space.hpp"

namespace hacscale::cli {

// --batch and --dtype; type() throws InputError listing the names that are known.
struct BatchOptions {
    int batch = 1;
    std::string dtype = "f32";

    DataType type() const { return data_type_from_name(dtype); }
};
void add_batch_options(CLI::App& parser, BatchOptions& options);

// The above and --cache.
struct StateOptions {
    BatchOptions batch;
    std::string cache = "network";

    MeasuredState state() const { return {batch.batch, batch.type(), cache_state_from_name(cache)}; }
};
void add_state_options(CLI::App& parser, StateOptions& options);

// --device, --threads and --seconds: where and how long to time.
struct TimingOptions {
    std::string device = "cpu";
    int threads = 0;
    double seconds = TimingRules{}.max_seconds;

    MeasureSettings settings(const BatchOptions& batch) const;
};
void add_timing_options(CLI::App& parser, TimingOptions& options);

// --details: the answer is preceded by all that it was made from. Returned for what it needs besides.
CLI::Option* add_details_option(CLI::App& parser, bool& details);

// --data: the folder of a data set.
void add_data_option(CLI::App& parser, std::filesystem::path& data);

// --no-counters and --sm-throughput: what the device's instruments are asked.
void add_counter_options(CLI::App& parser, harness::CounterSettings& settings);

// --max-params, --max-macs, --max-memory: the most that a planned network may need.
void add_cap_options(CLI::App& parser, Caps& caps);
// --budget, as parse_budget() takes it.
void add_budget_option(CLI::App& parser, std::string& budget);
// --keep groups|group-width: of grouped convs, what stays as widths change.
void add_keep_option(CLI::App& parser, std::string& keep);
// What the option's word says; without one, of networks that are no models: keep_width.
GroupedConvs kept_by(const std::string& keep);
// The model with what is kept; `keep` may be empty.
ModelSpec keeping(ModelSpec model, const std::string& keep);
// --min-inner-ratio, --max-inner-ratio, --inner-widths: inner widths that may be chosen block by block.
void add_inner_options(CLI::App& parser, SpaceSettings& settings);
// How far the planner may go: --grid, --min-width-ratio, --max-width-ratio, --min-depth-ratio, --max-depth-ratio,
// --resolutions.
void add_space_options(CLI::App& parser, SpaceSettings& settings);

// --gain: as load_gain() and gain_of_graphs() take it.
void add_gain_option(CLI::App& parser, std::vector<std::filesystem::path>& files);

// Which rows of a table: empty (0 for batch) where the option was not given.
struct FilterOptions {
    std::string layer;
    std::string kind;
    int batch = 0;
    std::string dtype;
    std::string cache;
    std::string status;

    RowFilter filter() const;  // throws InputError for a name that is not known
};

void add_filter_options(CLI::App& parser, FilterOptions& options);

}  // namespace hacscale::cli
