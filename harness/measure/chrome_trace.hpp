// A run of a network in the Trace Event Format, which chrome://tracing and Perfetto (ui.perfetto.dev) open.
// Described in docs/formats.md, "Traces".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "profiler/timing/network_timer.hpp"

namespace hacscale::harness {

struct TracedRun {
    Network network;
    int batch = 1;
    DataType type = DataType::f32;
    std::string device;  // its name
    std::string fingerprint;
    std::vector<std::string> implementations;  // one a node
    std::optional<double> peak_flops_per_s;    // of the device in this data type
    std::vector<TracedPass> passes;
};

std::string chrome_trace(const TracedRun& run);

}  // namespace hacscale::harness
