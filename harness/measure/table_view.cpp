#include "harness/measure/table_view.hpp"

#include <tuple>

#include "profiler/measure_networks.hpp"

namespace hacscale::harness {

namespace {

std::int64_t footprint_bytes(const Graph& network, const MeasuredState& state) {
    if (state.cache != CacheState::network) {
        return 0;
    }
    return footprint_bucket(pass_footprint(network, state.batch, state.type));
}

}  // namespace

TableView::TableView(const Table& table, Graph network, const MeasuredState& state)
    : table_(table),
      network_(std::move(network)),
      layout_(Layout::channels_last),
      state_(state),
      peak_(table.peak(state.type)) {
    source_ = std::make_unique<TableLatencySource>(table_, state_.batch, state_.type, state_.cache,
                                                   footprint_bytes(network_, state_));
    std::optional<std::tuple<int, double>> best;
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        network_.set_layout(layout);
        const NetworkEstimate known = base_estimate();
        const std::tuple<int, double> order{known.missing_layers, known.latency_us};
        if (!best || order < *best) {
            best = order;
            layout_ = layout;
        }
    }
    network_.set_layout(layout_);
}

std::string TableView::implementation(const LayerSpec& layer) const {
    const std::vector<Row> rows = table_.find_all(layer, state_.batch, state_.type, state_.cache);
    return rows.empty() ? "" : rows.front().implementation;
}

}  // namespace hacscale::harness
