// The parts of a comparison's record that need no timing: the planner's front, the stages' staircases,
// the layers, and what one step in each dimension adds.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/table_view.hpp"
#include "records/comparison.hpp"
#include "scaling/context.hpp"

namespace hacscale::harness {

// Ascending; thinned evenly to at most `most` points, the ends kept.
std::vector<records::FrontPoint> front_points(const ScalingContext& context, std::size_t most = 500);

// One a stage, over the widths of the context's space.
std::vector<records::StaircaseRow> staircase_rows(const ScalingContext& context, const TableView& view);

// The layers of a scaled base; `spec` is what the record calls it.
std::vector<records::LayerRow> layer_rows(const ModelSpec& model, const TableView& view,
                                          const std::string& spec);

// The layers of what the record's strategies chose, each network once; what `layers` has, the base and
// HACScale's choice, is left out.
std::vector<records::StrategyLayers> strategy_layers(const records::ComparisonRecord& record,
                                                     const ModelSpec& base, const TableView& view);

// What one step in each dimension adds to a network of the context's space, judged by the latency that the
// budget allows, as predicted.
records::ContributionsRow contributions_row(const ScalingContext& context, const TableView& view,
                                            const ScalingChoice& choice, double budget_us, std::string spec);

}  // namespace hacscale::harness
