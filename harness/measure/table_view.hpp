// A table as one network sees it: at one batch, data type and cache state, at that network's footprint, and in the memory
// layout in which the table knows the network.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "models/graph/graph.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/model_spec.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::harness {

class TableView {
public:
    // `table` must outlive this. The network is taken in the layout of which the table lacks the fewest layers,
    // and of equals the one that is faster.
    TableView(const Table& table, Graph network, const MeasuredState& state);

    const Table& table() const { return table_; }
    const Graph& network() const { return network_; }
    Layout layout() const { return layout_; }
    const MeasuredState& state() const { return state_; }
    const LatencySource& source() const { return *source_; }
    const std::optional<PeakRecord>& peak() const { return peak_; }
    NetworkEstimate base_estimate() const { return estimate(network_, *source_); }

    // What runs this layer, where it was measured; else empty.
    std::string implementation(const LayerSpec& layer) const;

private:
    const Table& table_;
    Graph network_;
    Layout layout_;
    MeasuredState state_;
    std::optional<PeakRecord> peak_;
    std::unique_ptr<TableLatencySource> source_;
};

// The same for the planner, which scales the network's stages.
class ModelView : public TableView {
public:
    ModelView(const Table& table, ModelSpec base, const MeasuredState& state)
        : TableView(table, lower(base), state), base_(std::move(base)) {
        base_.layout = layout();
    }

    const ModelSpec& base() const { return base_; }

private:
    ModelSpec base_;
};

}  // namespace hacscale::harness
