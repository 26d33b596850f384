// The charts of several runs; the contract with the page is that of report/charts/charts.hpp.
#pragma once

#include "report/side_by_side/side_by_side.hpp"

namespace hacscale::report {

// Latency of each network over the first run's, one dot a run.
Chart networks_chart(const Runs& runs);
// Each layer's ratio over its latency in the first run. Needs a ratio.
Chart ratios_chart(const std::vector<LayerRatio>& ratios, const std::string& letter, bool of_networks);

}  // namespace hacscale::report
