#include "harness/measure/table_view.hpp"

#include <tuple>

#include "models/stages/lowering.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::harness {

namespace {

std::int64_t footprint_bytes(const ModelSpec& model, const MeasuredState& state) {
    if (state.cache != CacheState::network) {
        return 0;
    }
    return footprint_bucket(pass_footprint(lower(model), state.batch, state.type));
}

}  // namespace

TableView::TableView(const Table& table, ModelSpec base, const MeasuredState& state)
    : table_(table), base_(std::move(base)), state_(state), peak_(table.peak(state.type)) {
    source_ = std::make_unique<TableLatencySource>(table_, state_.batch, state_.type, state_.cache,
                                                   footprint_bytes(base_, state_));
    std::optional<std::tuple<int, double>> best;
    Layout best_layout = base_.layout;
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        base_.layout = layout;
        const NetworkEstimate known = base_estimate();
        const std::tuple<int, double> order{known.missing_layers, known.latency_us};
        if (!best || order < *best) {
            best = order;
            best_layout = layout;
        }
    }
    base_.layout = best_layout;
}

NetworkEstimate TableView::base_estimate() const {
    return estimate(lower(base_), *source_);
}

std::string TableView::implementation(const LayerSpec& layer) const {
    const std::vector<Row> rows = table_.find_all(layer, state_.batch, state_.type, state_.cache);
    return rows.empty() ? "" : rows.front().implementation;
}

}  // namespace hacscale::harness
