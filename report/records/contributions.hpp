// What one step in each dimension adds to a network, as a comparison's record has it. Latencies are in
// microseconds and all figures of a step are differences; percentages are of the base's latency.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hacscale::report {

struct StepRecord {
    std::string dimension;  // "width", "depth", "inner_width", "resolution"
    std::string stage;      // its name, with the block's for inner widths; empty for the resolution
    int base = 0;           // the base's value: channels, blocks or pixels
    int from = 0;
    std::optional<int> to;
    std::string estimate;  // "measured", "interpolated", "missing"; empty where there is no larger network
    std::optional<double> latency_us;
    std::optional<double> latency_pct;
    std::optional<double> utilization;
    std::optional<double> params;
    std::optional<double> macs;
    std::optional<double> gain;
    std::optional<double> gain_per_pct;  // empty where latency does not rise, too
    std::string outcome;  // "fits", "over_budget", "over_cap", "no_gain", "space_end", "invalid", "missing"
    std::string reason;

    bool known() const { return latency_us.has_value(); }
    bool free() const { return latency_us && *latency_us <= 0.0; }
    // "stage1 width", "stage2 block 1 inner width", "resolution"
    std::string name() const {
        if (stage.empty()) return dimension;
        return stage + " " + (dimension == "inner_width" ? "inner width" : dimension);
    }
};

struct NetworkSteps {
    std::string spec;  // "base" or "hacscale"
    double latency_us = 0.0;
    double budget_us = 0.0;  // what steps are judged by
    double params = 0.0;
    std::vector<int> widths;
    std::vector<int> depths;
    std::optional<int> resolution;
    std::vector<StepRecord> steps;

    // Params tell inner widths apart, which widths and depths do not.
    bool same_network(const NetworkSteps& other) const {
        return params == other.params && widths == other.widths && depths == other.depths &&
               resolution == other.resolution;
    }
};

}  // namespace hacscale::report
