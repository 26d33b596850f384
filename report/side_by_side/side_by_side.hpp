// Several runs on one page: one suite on several devices, or before and after an update. The first run is
// what the others are compared with. Runs go by letters, A for the first; the page's first table says what
// each is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/statistics.hpp"
#include "records/run_folder.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

using Runs = std::vector<records::RunRecords>;

// "A", "B", ...
std::string letter_of(std::size_t run);
// "Xeon, onednn 2.6.3": the device and what differs between the runs.
std::vector<std::string> names_of(const Runs& runs);

// One network as it is on one device: measured where the run measured it, else predicted from its table.
struct NetworkFigures {
    double latency_us = 0.0;
    std::optional<double> ci95_us;
    bool measured = false;
    std::optional<double> utilization;
};

std::vector<std::string> networks_of(const Runs& runs);  // of any run, sorted
std::optional<NetworkFigures> figures_of(const records::RunRecords& run, const std::string& model);
// Of two networks' latencies; an interval that is not known counts as none.
LatencyRatio ratio_of(const NetworkFigures& a, const NetworkFigures& b);

// What two runs both have a latency of: a layer of a network by its name, or a row of both tables.
struct LayerRatio : LatencyRatio {
    std::string network;   // empty for rows
    std::string name;      // the row's layer
    std::string key;       // the row's state
    double share = 0.0;    // of the network's time in a
    bool certain = false;  // both intervals are known
};

// Layers of the networks that both runs hold, each by its largest change: |ln(b/a)| falls.
std::vector<LayerRatio> layer_ratios(const records::RunRecords& a, const records::RunRecords& b);
// Rows of one key and state, likewise.
std::vector<LayerRatio> row_ratios(const records::RunRecords& a, const records::RunRecords& b);

// InputError, one sentence, when there are fewer than two runs or more than letters, or when one of them
// shares neither a network nor a row with the first.
void check_shared(const Runs& runs);

Section runs_section(const Runs& runs);
Section networks_section(const Runs& runs);
Section choices_section(const Runs& runs);
Section layer_ratios_section(const Runs& runs);
Section row_ratios_section(const Runs& runs);

// "×0.912 (0.905 to 0.919)"; without known intervals the ratio alone. What is within noise says so.
std::string ratio_text(const LatencyRatio& ratio, bool certain);
// Three cells: the ratio, and for the CSV file the ends of its interval where it is known.
void add_ratio_cells(const std::optional<LatencyRatio>& ratio, bool certain, TableRow& row);

// The charts; the contract with the page is that of report/charts/charts.hpp.
// Latency of each network over the first run's, one dot a run.
Chart networks_chart(const Runs& runs);
// Each layer's ratio over its latency in the first run. Needs a ratio.
Chart ratios_chart(const std::vector<LayerRatio>& ratios, const std::string& letter, bool of_networks);

Document build_side_by_side(const Runs& runs);

}  // namespace hacscale::report
