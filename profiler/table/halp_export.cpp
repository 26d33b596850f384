#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "profiler/table/detail/layer_means.hpp"
#include "profiler/table/detail/pickle.hpp"
#include "profiler/table/export.hpp"

namespace hacscale {
namespace {

constexpr std::size_t max_pairs = std::size_t{1} << 22;

// Layers that share a key are alternatives of one kind of layer: the mean counts.
class KeyMeans {
public:
    void add(const std::string& key, double latency_us) {
        Sum& sum = sums_[key];
        sum.latency_us += latency_us;
        ++sum.layers;
    }
    // Layers that count alone where a key has some.
    void add_first(const std::string& key, double latency_us) {
        Sum& sum = sums_[key];
        if (!sum.first) sum = {0.0, 0, true};
        add(key, latency_us);
    }
    void add_if_no_first(const std::string& key, double latency_us) {
        if (!sums_[key].first) add(key, latency_us);
    }

    bool has(const std::string& key) const { return sums_.contains(key); }

    std::int64_t write(std::ostream& out) const {
        detail::PickleWriter pickle(out);
        for (const auto& [key, sum] : sums_) {
            pickle.add(key, sum.latency_us / sum.layers / us_a_ms);
            detail::require_written(out);
        }
        pickle.finish();
        detail::require_written(out);
        return static_cast<std::int64_t>(sums_.size());
    }

private:
    struct Sum {
        double latency_us = 0.0;
        int layers = 0;
        bool first = false;
    };
    std::map<std::string, Sum> sums_;
};

// Multiples of the grid below the channels, and the channels themselves.
std::vector<int> counts_up_to(int channels, int grid) {
    std::vector<int> counts;
    for (int count = grid; count < channels; count += grid) counts.push_back(count);
    counts.push_back(channels);
    return counts;
}

// A conv of the network with channels of its own or fewer.
struct Narrowing {
    const LayerSpec* layer;
    std::vector<int> inputs;
    std::vector<int> outputs;  // empty: as many as inputs

    template <typename Visit>
    void for_each(const Visit& visit) const {
        LayerSpec narrowed = *layer;
        for (const int in_channels : inputs) {
            narrowed.in_channels = in_channels;
            if (!outputs.empty()) {
                for (const int out_channels : outputs) {
                    narrowed.out_channels = out_channels;
                    visit(narrowed);
                }
            } else {
                narrowed.out_channels = narrowed.groups = in_channels;
                visit(narrowed);
            }
        }
    }
};

Narrowing narrowing_of(const Graph& network, const Node& node, int grid) {
    const LayerSpec& layer = node.layer;
    Narrowing narrowing{&layer, {layer.in_channels}, {}};
    if (network.producer_of(node) != no_node) narrowing.inputs = counts_up_to(layer.in_channels, grid);
    if (!layer.depthwise()) narrowing.outputs = counts_up_to(layer.out_channels, grid);
    return narrowing;
}

}  // namespace

std::optional<std::string> halp_key_problem(const LayerSpec& layer) {
    if (layer.kind != LayerKind::conv) {
        return fmt::format("HALP's table has convs only, and this is a {}", name_of(layer.kind));
    }
    const Window& window = layer.window;
    const bool square = layer.in_height == layer.in_width && window.kernel[0] == window.kernel[1] &&
                        window.strides[0] == window.strides[1];
    if (!square) return "HALP's key has one number for height and width, and the conv has two";
    if (window.dilations != std::array{1, 1}) return "HALP's key has no dilation";
    if (layer.groups != 1 && !layer.depthwise()) {
        return "HALP takes a conv with groups for a depthwise one";
    }
    return std::nullopt;
}

std::string halp_key(const LayerSpec& layer, int batch) {
    return fmt::format("{}_{}_{}_{}_{}_{}_{}", batch, layer.in_channels, layer.out_channels, layer.in_height,
                       layer.kernel(), layer.stride(), layer.groups);
}

ExportSummary write_halp(const Table& table, const RowFilter& filter, std::ostream& out) {
    ExportSummary summary;
    std::map<int, std::vector<detail::TimedLayer>> by_batch;
    std::set<std::pair<DataType, CacheState>> states;
    table.for_each(filter, [&](const Row& row) {
        ++summary.rows;
        std::optional<std::string> reason;
        if (!has_latency(row.status)) {
            reason = fmt::format("they have no latency: they are {}", name_of(row.status));
        } else {
            states.emplace(row.key.type, row.key.cache);
            reason = halp_key_problem(row.key.layer);
        }
        if (reason) {
            ++summary.left_out[*reason];
        } else {
            by_batch[row.key.batch].push_back(
                {row.key.layer, row.latency_us, row.status == RowStatus::noisy});
        }
    });
    if (states.size() > 1) {
        throw InputError(fmt::format(
            "HALP's table has one data type and cache state, but there are rows of {}; choose one "
            "with --dtype and --cache",
            states.size()));
    }
    KeyMeans means;
    for (const auto& [batch, rows] : by_batch) {
        const detail::LayerMeans layers = detail::mean_latencies(rows);
        for (const auto& [layer, mean] : layers.layers) means.add(halp_key(layer, batch), mean.latency_us);
        for (const std::string& reason : layers.left_out) {
            if (reason.empty()) {
                ++summary.written;
            } else {
                ++summary.left_out[reason];
            }
        }
    }
    summary.entries = means.write(out);
    return summary;
}

HalpNetworkSummary write_halp(const Graph& network, const LatencySource& source, int batch, int grid,
                              std::ostream& out) {
    HalpNetworkSummary summary;
    std::vector<Narrowing> narrowings;
    std::size_t pairs = 0;
    for (const Node& node : network.nodes) {
        if (const auto problem = halp_key_problem(node.layer)) {
            ++summary.left_out[*problem];
            continue;
        }
        narrowings.push_back(narrowing_of(network, node, grid));
        pairs += narrowings.back().inputs.size() * std::max<std::size_t>(1, narrowings.back().outputs.size());
    }
    if (pairs > max_pairs) {
        throw InputError(fmt::format(
            "the network has {} pairs of channels on a grid of {}, more than {}; give a larger --grid", pairs,
            grid, max_pairs));
    }
    KeyMeans means;
    std::set<std::string> interpolated;
    std::set<std::string> missing;
    for (const Narrowing& narrowing : narrowings) {
        const LayerSpec& own = *narrowing.layer;
        narrowing.for_each([&](const LayerSpec& layer) {
            const std::string key = halp_key(layer, batch);
            const LatencyEstimate latency = source.estimate(layer);
            if (latency.kind == EstimateKind::missing) {
                missing.insert(key);
                return;
            }
            if (latency.kind == EstimateKind::interpolated) interpolated.insert(key);
            if (layer == own) {
                means.add_first(key, latency.latency_us);
            } else {
                means.add_if_no_first(key, latency.latency_us);
            }
        });
    }
    std::erase_if(missing, [&](const std::string& key) { return means.has(key); });
    summary.entries = means.write(out);
    summary.interpolated = static_cast<std::int64_t>(interpolated.size());
    summary.missing.assign(missing.begin(), missing.end());
    return summary;
}

}  // namespace hacscale
