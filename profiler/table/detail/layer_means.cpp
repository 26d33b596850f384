#include "profiler/table/detail/layer_means.hpp"

#include <set>

namespace hacscale::detail {
namespace {

LayerSpec without_layout(LayerSpec layer) {
    layer.layout = Layout::channels_last;
    return layer;
}

// The layout in which more of the layers were measured.
Layout usual_layout(const std::vector<TimedLayer>& rows) {
    std::map<Layout, std::set<LayerSpec>> layers;
    for (const TimedLayer& row : rows) layers[row.layer.layout].insert(without_layout(row.layer));
    return layers[Layout::blocked].size() > layers[Layout::channels_last].size() ? Layout::blocked
                                                                                 : Layout::channels_last;
}

}  // namespace

LayerMeans mean_latencies(const std::vector<TimedLayer>& rows) {
    LayerMeans means{{}, std::vector<std::string>(rows.size())};
    std::map<LayerSpec, std::vector<std::size_t>> same;
    for (std::size_t i = 0; i < rows.size(); ++i) same[without_layout(rows[i].layer)].push_back(i);
    const Layout usual = usual_layout(rows);
    for (auto& rows_of_layer : same) {
        std::vector<std::size_t>& indices = rows_of_layer.second;
        const auto keep = [&](const auto& is_better, const std::string& reason) {
            std::vector<std::size_t> better;
            for (const std::size_t i : indices) {
                if (is_better(rows[i])) better.push_back(i);
            }
            if (better.empty() || better.size() == indices.size()) return;
            for (const std::size_t i : indices) {
                if (!is_better(rows[i])) means.left_out[i] = reason;
            }
            indices = std::move(better);
        };
        keep([&](const TimedLayer& row) { return row.layer.layout == usual; },
             "the layer was also measured in the memory layout of most layers");
        keep([](const TimedLayer& row) { return !row.noisy; }, "the layer has rows that are not noisy");
        LayerMean& mean = means.layers[rows_of_layer.first];
        for (const std::size_t i : indices) mean.latency_us += rows[i].latency_us;
        mean.latency_us /= static_cast<double>(indices.size());
        mean.rows = std::move(indices);
    }
    return means;
}

}  // namespace hacscale::detail
