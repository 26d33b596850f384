#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/session.hpp"
#include "models/ops/operator.hpp"

namespace hacscale::cli {

namespace {

constexpr int largest_batch = 65536;
constexpr int largest_pixels = 65536;
constexpr double largest_ratio = 16.0;

}  // namespace

void add_batch_options(CLI::App& parser, BatchOptions& options) {
    parser.add_option("--batch", options.batch, "Images at once")
        ->check(CLI::Range(1, largest_batch))
        ->capture_default_str();
    parser.add_option("--dtype", options.dtype, "Data type: f32, tf32, bf16, f16 or i8")
        ->capture_default_str();
}

void add_state_options(CLI::App& parser, StateOptions& options) {
    add_batch_options(parser, options.batch);
    parser.add_option("--cache", options.cache, "State of the caches: network, warm or cold")
        ->capture_default_str();
}

MeasureSettings TimingOptions::settings(const BatchOptions& batch) const {
    MeasureSettings settings;
    settings.batch = batch.batch;
    settings.type = batch.type();
    settings.rules.max_seconds = seconds;
    return settings;
}

void add_timing_options(CLI::App& parser, TimingOptions& options) {
    parser.add_option("--device", options.device, "Device, as \"hacscale devices\" names it")
        ->capture_default_str();
    parser
        .add_option("--threads", options.threads, "Threads of CPU work; 0: one a core this process may use")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    parser
        .add_option(
            "--seconds", options.seconds,
            "Time one network for at most this long, not counting turns in which the machine is slower")
        ->check(CLI::Range(0.01, 3600.0))
        ->capture_default_str();
}

CLI::Option* add_details_option(CLI::App& parser, bool& details) {
    return parser.add_flag("--details", details, "Before the answer, all that it was made from");
}

void add_counter_options(CLI::App& parser, CounterSettings& settings) {
    parser.add_flag("--no-counters", settings.none, "Time only: no kernels, counters, clocks or energy");
    parser.add_flag("--sm-throughput", settings.instruments.sm_throughput,
                    "Also how busy the busiest unit of the multiprocessors is; takes many more passes");
}

void add_cap_options(CLI::App& parser, Caps& caps) {
    parser.add_option("--max-params", caps.params, "Most parameters a planned network may have")
        ->check(CLI::PositiveNumber);
    parser.add_option("--max-macs", caps.macs, "Most MACs of one image")->check(CLI::PositiveNumber);
    parser
        .add_option("--max-memory", caps.memory_bytes,
                    "Most bytes of weights and of activations alive at once")
        ->check(CLI::PositiveNumber);
}

void add_budget_option(CLI::App& parser, std::string& budget) {
    parser
        .add_option(
            "--budget", budget,
            "Latency allowed: over the base's, 0.1 to 16, or as 8ms, 800us or 120/s (images a second)")
        ->capture_default_str();
}

void add_keep_option(CLI::App& parser, std::string& keep) {
    parser
        .add_option(
            "--keep", keep,
            "Of grouped convs, what stays as widths change: groups (their number) or group-width; else "
            "as the model has it")
        ->check(CLI::IsMember({"groups", "group-width"}));
}

GroupedConvs kept_by(const std::string& keep) {
    return keep == "groups" ? GroupedConvs::keep_count : GroupedConvs::keep_width;
}

ModelSpec keeping(ModelSpec model, const std::string& keep) {
    return keep.empty() ? model : with_kept_groups(std::move(model), kept_by(keep));
}

void add_inner_options(CLI::App& parser, SpaceSettings& settings) {
    parser
        .add_option("--min-inner-ratio", settings.min_inner_ratio,
                    "Least inner width of a block, over the one that follows its stage's width")
        ->check(CLI::Range(0.01, 1.0))
        ->capture_default_str();
    parser
        .add_option("--max-inner-ratio", settings.max_inner_ratio,
                    "Greatest inner width of a block, likewise")
        ->check(CLI::Range(1.0, largest_ratio))
        ->capture_default_str();
    parser
        .add_option("--inner-widths", settings.inner_widths,
                    "Inner widths a block to choose from, besides the one that follows; 0: all on their grid")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
}

void add_space_options(CLI::App& parser, SpaceSettings& settings) {
    parser.add_option("--grid", settings.grid, "Widths are multiples of this")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    parser
        .add_option("--min-width-ratio", settings.min_width_ratio,
                    "Narrowest stage, over its base width; else 0.5, less for budgets below 1")
        ->check(CLI::Range(0.01, 1.0));
    parser
        .add_option("--max-width-ratio", settings.max_width_ratio,
                    "Widest stage, over its base width; else 2, less for budgets below 1, more above 2")
        ->check(CLI::Range(1.0, largest_ratio));
    parser
        .add_option("--min-depth-ratio", settings.min_depth_ratio,
                    "Shallowest stage, over its base depth; else as of widths")
        ->check(CLI::Range(0.01, 1.0));
    parser
        .add_option("--max-depth-ratio", settings.max_depth_ratio,
                    "Deepest stage, over its base depth; else as of widths")
        ->check(CLI::Range(1.0, largest_ratio));
    parser
        .add_option("--resolutions", settings.resolutions,
                    "Resolutions in pixels that may be chosen beside the base's, separated by commas")
        ->delimiter(',')
        ->check(CLI::Range(1, largest_pixels));
}

namespace {

LayerKind kind_from_name(const std::string& name) {
    std::string known;
    for (const Operator* const op : all_operators()) {
        if (op->name == name) {
            return op->kind;
        }
        known += (known.empty() ? "" : ", ") + std::string(op->name);
    }
    throw InputError("--kind: \"" + name + "\" is no kind of layer; there are " + known);
}

}  // namespace

void add_gain_option(CLI::App& parser, std::vector<std::filesystem::path>& files) {
    parser
        .add_option("--gain", files,
                    "Sensitivity or importance file, or one of each; or capacity; else balanced capacity")
        ->delimiter(',');
}

RowFilter FilterOptions::filter() const {
    RowFilter filter;
    if (!layer.empty()) {
        filter.layer_contains = layer;
    }
    if (!kind.empty()) {
        filter.kind = kind_from_name(kind);
    }
    if (batch != 0) {
        filter.batch = batch;
    }
    if (!dtype.empty()) {
        filter.type = data_type_from_name(dtype);
    }
    if (!cache.empty()) {
        filter.cache = cache_state_from_name(cache);
    }
    if (!status.empty()) {
        filter.status = row_status_from_name(status);
    }
    return filter;
}

void add_data_option(CLI::App& parser, std::filesystem::path& data) {
    parser
        .add_option("--data", data,
                    "Folder of a data set: CIFAR-10, CIFAR-100, or train/ and val/ of JPEG images")
        ->capture_default_str();
}

void add_filter_options(CLI::App& parser, FilterOptions& options) {
    parser.add_option("--layer", options.layer, "Only layers whose key contains this text");
    parser.add_option("--kind", options.kind, "Only this kind of layer: conv, linear, ...");
    parser.add_option("--batch", options.batch, "Only this batch size")->check(CLI::PositiveNumber);
    parser.add_option("--dtype", options.dtype, "Only this data type: f32, bf16 or f16");
    parser.add_option("--cache", options.cache, "Only this state of the caches: network, warm or cold");
    parser.add_option("--status", options.status, "Only rows that are ok, noisy, failed or unsupported");
}

}  // namespace hacscale::cli
