// The records of one run as values: what the files named in docs/formats.md ("Records of a run") hold.
// Latencies are in microseconds, utilizations and efficiencies are 0..1, ratios are plain numbers relative to
// the base. An absent figure (null in the file) is an empty optional; `reason` beside it says why, where the
// file does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/records/contributions.hpp"

namespace hacscale::report {

struct Device {
    std::string id;
    std::string name;
    std::string fingerprint;
    std::vector<std::pair<std::string, std::string>>
        properties;  // in the file's order; nested values as JSON text
};

struct Provenance {
    std::string program;
    std::string version;
    std::string command;
    std::string suite;  // empty when the run had none
    std::string started_at;
    std::string finished_at;
    Device device;
    std::vector<std::pair<std::string, std::string>> settings;  // batch, dtype, cache, threads
    std::vector<std::string> warnings;
};

// One whole network: the table's prediction beside the device's measurement.
struct VerifiedNetwork {
    std::string model;
    std::string role;   // "zoo", "base", "strategy"; empty when not said
    std::string cache;  // cache state of the rows summed; empty when not said
    std::string dtype;
    std::int64_t batch = 1;
    double predicted_us = 0.0;
    double measured_us = 0.0;
    std::optional<double> ci95_us;

    double error() const { return predicted_us / measured_us - 1.0; }
};

// One row of the table, as `table query --json` answers it.
struct MeasuredRow {
    std::string layer;
    std::string cache;
    std::string dtype;
    std::int64_t batch = 1;
    std::int64_t footprint_bytes = 0;  // of the network that it was timed in; 0 when not said
    std::string status;
    std::string reason;
    std::optional<double> latency_us;
    std::optional<double> ci95_us;
    std::optional<double> occupancy_theoretical;  // GPUs only, like the next
    std::optional<double> occupancy_achieved;
};

struct StrategyRow {
    std::string strategy;
    std::string status;  // "ok", "over_budget", "infeasible", "unverified", "failed"
    std::string reason;
    std::optional<double> predicted_us;
    std::optional<double> measured_us;
    std::optional<double> ci95_us;
    std::optional<double> images_per_s;  // measured; empty in records of older programs, as the next two
    std::optional<double> p95_us;        // of single passes; empty where too few were measured
    std::optional<double> p99_us;
    std::optional<double> latency_ratio;  // measured over the base measured beside it
    std::optional<double> latency_ratio_ci95;
    std::optional<double> utilization;
    std::optional<double> utilization_ratio;
    std::optional<double> params;
    std::optional<double> macs;
    std::optional<double> memory_bytes;
    std::optional<double> gain;
    std::vector<int> widths;
    std::vector<int> depths;
    // Of each stage, one a block; a stage's list is empty where they follow, and all is where all follow.
    std::vector<std::vector<int>> inner_widths;
    std::optional<int> resolution;
    std::optional<double> accuracy;            // percent, top-1; the mean over seeds
    std::optional<double> accuracy_deviation;  // points; empty for a single seed
    int accuracy_seeds = 0;
    std::vector<std::string> dominates;  // strategies, the base among them
    std::vector<std::string> equal_to;
    std::string spec;  // the model's YAML text; empty when there is none

    bool ok() const { return status == "ok"; }
    std::optional<double> latency_us() const { return measured_us ? measured_us : predicted_us; }
};

struct Peak {
    double flops_per_s = 0.0;
    double bytes_per_s = 0.0;
    std::optional<double> nominal_flops_per_s;
    std::optional<double> nominal_bytes_per_s;
};

struct FrontPoint {
    double latency_us = 0.0;
    double gain = 0.0;
    std::optional<double> params;
    std::vector<int> widths;
    std::vector<int> depths;
    std::optional<int> resolution;
};

struct LayerRecord {
    std::string spec;  // "base" or "hacscale"
    std::string name;
    std::string key;
    std::string stage;                 // a stage's name, or its number as text
    std::optional<double> latency_us;  // empty when the estimate is "missing"
    std::string estimate;              // "measured", "interpolated", "missing"
    double macs = 0.0;
    double bytes = 0.0;
    std::optional<double> utilization;
    std::optional<double> roofline_efficiency;
    std::string implementation;
    // Of the row that the latency was read from; GPUs only, and only with the run's table.
    std::optional<double> occupancy_theoretical;
    std::optional<double> occupancy_achieved;
};

// As much of a layer as telling two networks apart needs.
struct NetworkLayer {
    std::string name;
    std::string key;
    std::string stage;
    std::optional<double> latency_us;
};

// A network that other strategies than HACScale chose, and that is not the base.
struct StrategyLayers {
    std::vector<std::string> strategies;
    std::vector<NetworkLayer> layers;
};

struct StaircasePoint {
    int width = 0;
    double latency_us = 0.0;
    std::optional<double> utilization;
    std::optional<double> params;
    std::string estimate;
};

struct Staircase {
    std::string name;
    int base_width = 0;
    std::optional<int> free_width;
    std::vector<StaircasePoint> points;  // ascending in width
};

// One model at one budget.
struct Comparison {
    std::string file;
    std::string model;
    double budget = 1.0;  // allowed latency over the base's
    std::string
        gain_origin;  // what gain was judged by: "capacity", "importance", "sensitivity"; may be empty
    std::string accuracy_recipe;  // empty where the comparison did not ask for accuracies
    bool judged = false;          // it says which rows dominate which; comparisons of older programs do not
    StrategyRow base;
    std::vector<StrategyRow> strategies;
    std::optional<Peak> peak;
    std::vector<FrontPoint> front;    // ascending in latency
    std::vector<std::string> stages;  // those without a name are "stage 1", "stage 2", ...
    std::vector<LayerRecord> layers;
    std::vector<StrategyLayers> strategy_layers;  // empty in records of older programs
    std::vector<Staircase> staircases;
    std::vector<NetworkSteps> contributions;  // the base's, then those of the HACScale choice

    // The row of the program's own choice; null when the comparison left it out.
    const StrategyRow* hacscale() const;
};

struct Records {
    std::filesystem::path folder;
    Provenance provenance;
    std::optional<std::vector<VerifiedNetwork>> verified;  // empty: no verify.json
    std::optional<std::vector<MeasuredRow>> rows;          // empty: no table.json
    std::vector<Comparison> comparisons;                   // sorted by model, then budget
};

}  // namespace hacscale::report
