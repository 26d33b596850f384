#include "harness/advise/advice.hpp"

namespace hacscale::harness {

namespace {

std::vector<LayerEfficiency> layers_of(const TableView& view) {
    const MeasuredState& state = view.state();
    if (view.peak()) {
        return layer_efficiencies(view.network(), view.source(), state.batch, state.type,
                                  {view.peak()->flops_per_s, view.peak()->bytes_per_s});
    }
    std::vector<LayerEfficiency> layers;
    for (const Node& node : view.network().nodes) {
        LayerEfficiency& layer = layers.emplace_back();
        layer.name = node.name;
        layer.layer = node.layer;
        layer.stage = node.stage;
        layer.block = node.block;
        layer.estimate = view.source().estimate(node.layer);
    }
    return layers;
}

}  // namespace

Advice advice_on(const Table& table, const ModelSpec& model, const MeasuredState& state,
                 const AdviseSettings& settings) {
    const ModelView view(table, model, state);
    return {model.name,     table.device(), state, settings, advise(view.base(), view.source(), settings),
            layers_of(view)};
}

Advice advice_on(const Table& table, const Network& network, const MeasuredState& state,
                 const AdviseSettings& settings) {
    const TableView view(table, network.graph, state);
    return {network.name,
            table.device(),
            state,
            settings,
            advise(network.name, view.network(), view.source(), settings),
            layers_of(view)};
}

}  // namespace hacscale::harness
