// The charts: one builder and one file each, from records to a Vega specification (full Vega 5, no
// Vega-Lite).
//
// All specifications keep to the same contract with the page (page/page.js): `width` is the width of the plot
// and is set from the outside whenever the window changes; heights follow by signals; `autosize` is "none"
// and `padding` leaves room for the axes. Colours are CSS variables of page/page.css, so that light, dark and
// print need no redrawing. A datum's `tip` is its tooltip, one fact a line.
#pragma once

#include <vector>

#include "report/document/document.hpp"
#include "report/records/records.hpp"

namespace hacscale::report {

// Latency, utilization, MACs and parameters of each strategy relative to the base: dots on a line from 1.
Chart strategies_chart(const Comparison& comparison);
// Accuracies with their deviations; needs a row that has one.
Chart accuracy_chart(const Comparison& comparison);
// Gain over relative latency: the planner's front, the strategies on it, the budget.
Chart front_chart(const Comparison& comparison);
// What one step in each dimension adds to a network; `base_us` is the base's predicted latency.
Chart contributions_chart(const NetworkSteps& network, double base_us);
// Latency and utilization of one stage over its width.
Chart staircase_chart(const Staircase& staircase);
// The layers under the device's measured ceilings; needs comparison.peak and a layer with a latency and MACs.
Chart roofline_chart(const Comparison& comparison);
// The layers as a strip, base above choice: length is time, colour is utilization; needs a layer with a
// latency.
Chart network_chart(const Comparison& comparison);
// The same with achieved occupancy for colour; needs a layer that has one.
Chart occupancy_chart(const Comparison& comparison);
// Whole networks, measured over predicted, with bands of 3 % and 8 %; and the errors one by one. Need a
// network.
Chart prediction_chart(const std::vector<VerifiedNetwork>& networks);
Chart prediction_error_chart(const std::vector<VerifiedNetwork>& networks);

}  // namespace hacscale::report
