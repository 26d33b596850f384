// The parts of a comparison's record that are computed from its rows and the table, without timing anything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/measure/table_view.hpp"
#include "records/comparison.hpp"
#include "scaling/graph_context.hpp"
#include "scaling/stage_context.hpp"

namespace hacscale::harness {

// ---- The planner's front, the stages' staircases, the layers, and what one step in each dimension adds ----

// Ascending; thinned evenly to at most `most` points, the ends kept.
std::vector<records::FrontPoint> front_points(const ScalingContext& context, std::size_t most = 500);

// One a stage, over the widths of the context's space.
std::vector<records::StaircaseRow> staircase_rows(const StageContext& context, const TableView& view);

// The layers of a scaled base; `spec` is what the record calls it.
std::vector<records::LayerRow> layer_rows(const ScalingContext& context, const ScalingChoice& choice,
                                          const TableView& view, const std::string& spec);

// The layers of what the record's strategies chose, each network once; what `layers` has, the base and
// HACScale's choice, is left out.
std::vector<records::StrategyLayers> strategy_layers(const records::ComparisonRecord& record,
                                                     const ScalingContext& context, const TableView& view);

// What one step in each dimension adds to a network of the context's space, judged by the latency that the
// budget allows, as predicted.
records::ContributionsRow contributions_row(const StageContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec);
records::ContributionsRow contributions_row(const GraphContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec);

// ---- Verdict ----
//
// Which strategies of a comparison dominate which, and which are equal within noise (docs/method.md,
// "Verdict").
//
// Rows are judged by latency, gain, and accuracy where both were trained. In each of these one row is better
// when it leads by more than noise: for latency, the 95 % interval of the ratio of the two measured in one
// run; for accuracy, Welch's 95 % interval of the difference of the means over seeds; gain is computed, not
// measured, and has none. A row dominates another when it is better in one and worse in none; rows of which
// neither is better in anything are equal.

// Half-width, in points, of the 95 % interval of the difference of two means (Welch 1947). Nothing when one
// of them has a single seed: how far it might be off is not known.
std::optional<double> difference_half_width(const records::AccuracyFigures& a,
                                            const records::AccuracyFigures& b);

enum class Relation {
    none,  // each is better in something; or one of them was not measured or is noisy, or its gain is not
           // known
    dominates,
    dominated,
    equal,
};
// Of `a` to `b`.
Relation relation(const records::StrategyRow& a, const records::StrategyRow& b);

// Whether `a` was measured faster by more than noise. Both were measured.
bool latency_leads(const records::StrategyRow& a, const records::StrategyRow& b);

// Fills `dominates` and `equal_to` of every row, the base included.
void add_verdict(records::ComparisonRecord& record);

}  // namespace hacscale::harness
