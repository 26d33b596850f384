// A table as one network's planner sees it: at one batch, data type and cache state, at that network's
// footprint, and in the memory layout in which the table knows the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/table/table.hpp"
#include "records/comparison.hpp"
#include "scaling/context.hpp"

namespace hacscale::harness {

class TableView {
public:
    // `table` must outlive this. The base is taken in the layout of which the table lacks the fewest layers,
    // and of equals the one that is faster.
    TableView(const Table& table, ModelSpec base, const MeasuredState& state);

    const Table& table() const { return table_; }
    const ModelSpec& base() const { return base_; }
    const MeasuredState& state() const { return state_; }
    const LatencySource& source() const { return *source_; }
    const std::optional<PeakRecord>& peak() const { return peak_; }
    NetworkEstimate base_estimate() const;

    // What runs this layer, where it was measured; else empty.
    std::string implementation(const LayerSpec& layer) const;

private:
    const Table& table_;
    ModelSpec base_;
    MeasuredState state_;
    std::optional<PeakRecord> peak_;
    std::unique_ptr<TableLatencySource> source_;
};

// The parts of a comparison's record that need no timing: the planner's front, the stages' staircases,
// the layers, and what one step in each dimension adds.

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
