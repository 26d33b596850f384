#include "profiler/table/diff.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace hacscale {
namespace {

std::vector<Row> sorted_rows(const Table& table) {
    std::vector<Row> rows = table.query({});
    std::sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.key < y.key; });
    return rows;
}

void add_pair(TableDiff& diff, const Row& a, const Row& b) {
    if (has_latency(a.status) && has_latency(b.status)) {
        diff.ratios.push_back({latency_ratio(a.latency_us, a.ci95_us, b.latency_us, b.ci95_us), a.key});
    } else {
        diff.without_ratio.push_back(
            {a.key, a.status, b.status, has_latency(b.status) ? a.reason : b.reason});
    }
}

void summarize(TableDiff& diff) {
    double log_sum = 0.0;
    for (const RowRatio& row : diff.ratios) {
        log_sum += std::log(row.ratio);
        if (row.significant) ++(row.ratio > 1.0 ? diff.significantly_slower : diff.significantly_faster);
    }
    if (!diff.ratios.empty()) {
        diff.geometric_mean_ratio = std::exp(log_sum / static_cast<double>(diff.ratios.size()));
    }
    // Stable over rows that are sorted by key, so that equal changes have one order.
    std::stable_sort(diff.ratios.begin(), diff.ratios.end(), [](const RowRatio& x, const RowRatio& y) {
        return std::abs(x.b_us - x.a_us) > std::abs(y.b_us - y.a_us);
    });
}

}  // namespace

TableDiff diff_tables(const Table& a, const Table& b) {
    TableDiff diff;
    diff.device_a = a.device();
    diff.device_b = b.device();
    diff.same_device = diff.device_a.fingerprint == diff.device_b.fingerprint;
    const std::vector<Row> rows_a = sorted_rows(a);
    const std::vector<Row> rows_b = sorted_rows(b);
    auto in_a = rows_a.begin();
    auto in_b = rows_b.begin();
    while (in_a != rows_a.end() || in_b != rows_b.end()) {
        if (in_b == rows_b.end() || (in_a != rows_a.end() && in_a->key < in_b->key)) {
            diff.only_a.push_back((in_a++)->key);
        } else if (in_a == rows_a.end() || in_b->key < in_a->key) {
            diff.only_b.push_back((in_b++)->key);
        } else {
            add_pair(diff, *in_a++, *in_b++);
        }
    }
    summarize(diff);
    return diff;
}

NetworkDiff diff_network(const Graph& network_a, const LatencySource& a, const Graph& network_b,
                         const LatencySource& b) {
    const bool same = std::ranges::equal(network_a.nodes, network_b.nodes, {}, &Node::name, &Node::name);
    if (!same) throw InputError("a network is compared with another one: their layers have other names");
    NetworkDiff diff;
    double sum_a_us = 0.0;
    double sum_b_us = 0.0;
    double ci95_a_us = 0.0;
    double ci95_b_us = 0.0;
    for (std::size_t i = 0; i < network_a.nodes.size(); ++i) {
        const Node& node = network_b.nodes[i];
        const LatencyEstimate in_a = a.estimate(network_a.nodes[i].layer);
        const LatencyEstimate in_b = b.estimate(node.layer);
        if (in_a.kind == EstimateKind::missing || in_b.kind == EstimateKind::missing) {
            if (diff.unknown_layers++ == 0) diff.first_unknown = node.name;
            continue;
        }
        sum_a_us += in_a.latency_us;
        sum_b_us += in_b.latency_us;
        ci95_a_us = std::hypot(ci95_a_us, in_a.ci95_us);
        ci95_b_us = std::hypot(ci95_b_us, in_b.ci95_us);
        diff.layers.push_back({latency_ratio(in_a.latency_us, in_a.ci95_us, in_b.latency_us, in_b.ci95_us),
                               node.name, node.layer});
    }
    if (diff.layers.empty()) throw InputError("no layer of the network is in both tables; profile it");
    diff.total = latency_ratio(sum_a_us, ci95_a_us, sum_b_us, ci95_b_us);
    for (LayerChange& layer : diff.layers) layer.share = (layer.b_us - layer.a_us) / sum_a_us;
    std::ranges::stable_sort(diff.layers, std::ranges::greater(),
                             [](const LayerChange& layer) { return std::abs(layer.share); });
    return diff;
}

}  // namespace hacscale
