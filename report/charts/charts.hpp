// The charts: one builder and one file each, from records to a Vega specification (full Vega 5, no
// Vega-Lite).
//
// All specifications keep to the same contract with the page (page/page.js): `width` is the width of the plot
// and is set from the outside whenever the window changes; heights follow by signals; `autosize` is "none"
// and `padding` leaves room for the axes. Colours are CSS variables of page/page.css, so that light, dark and
// print need no redrawing. A datum's `tip` is its tooltip, one fact a line.
#pragma once

#include <optional>
#include <vector>

#include "records/run_folder.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

// Latency, utilization, MACs and parameters of each strategy relative to the base: dots on a line from 1.
Chart strategies_chart(const records::ComparisonRecord& comparison);
// Accuracies with their deviations; needs a row that has one.
Chart accuracy_chart(const records::ComparisonRecord& comparison);
// Accuracies after each epoch; needs has_learning_curves().
Chart learning_curve_chart(const records::ComparisonRecord& comparison);
bool has_learning_curves(const records::ComparisonRecord& comparison);
// Gain over relative latency: the planner's front, the strategies on it, the budget.
Chart front_chart(const records::ComparisonRecord& comparison);
// What one step in each dimension adds to a network, which is one of the comparison's.
Chart contributions_chart(const records::ComparisonRecord& comparison,
                          const records::ContributionsRow& network);
// Latency and utilization of one stage over its width.
Chart staircase_chart(const records::StaircaseRow& staircase);
// The layers under the device's measured ceilings; needs comparison.peak and a layer with a latency and MACs.
Chart roofline_chart(const records::ComparisonRecord& comparison);
// The layers as a strip, base above choice: length is time, colour is utilization; needs a layer with a
// latency.
Chart network_chart(const records::ComparisonRecord& comparison);
// The same with achieved occupancy for colour; needs a layer that has one.
Chart occupancy_chart(const records::ComparisonRecord& comparison);
// Whole networks, measured over predicted, with bands of 3 % and 8 %; and the errors one by one. Need a
// network.
Chart prediction_chart(const std::vector<records::VerifiedModel>& networks);
Chart prediction_error_chart(const std::vector<records::VerifiedModel>& networks);
// Whether the step is known to cost no latency.
bool is_free(const Contribution& step);
// Of what the step adds; nothing where that is not known.
template <typename Figure>
std::optional<double> figure_of(const Contribution& step, Figure StepFigures::*figure) {
    return step.added ? std::optional<double>(step.added.value().*figure) : std::nullopt;
}

}  // namespace hacscale::report
