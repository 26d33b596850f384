#include "profiler/table/latency_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.hpp"

namespace hacscale {

namespace {

LatencyEstimate measured(const Row& row) {
    return {row.latency_us, EstimateKind::measured, row.ci95_us, row.status == RowStatus::noisy};
}

}  // namespace

LatencyEstimate latency_at_footprint(const std::vector<Row>& rows, std::int64_t footprint_bytes) {
    const auto above =
        std::lower_bound(rows.begin(), rows.end(), footprint_bytes,
                         [](const Row& row, std::int64_t bytes) { return row.key.footprint_bytes < bytes; });
    if (above == rows.begin()) return measured(rows.front());
    if (above == rows.end()) return measured(rows.back());
    const Row& low = *std::prev(above);
    const auto logarithm = [](std::int64_t bytes) {
        return std::log(static_cast<double>(std::max<std::int64_t>(bytes, 1)));
    };
    const double start = logarithm(low.key.footprint_bytes);
    const double share =
        (logarithm(footprint_bytes) - start) / (logarithm(above->key.footprint_bytes) - start);
    return {std::lerp(low.latency_us, above->latency_us, share), EstimateKind::measured,
            std::hypot((1.0 - share) * low.ci95_us, share * above->ci95_us),
            (share < 1.0 && low.status == RowStatus::noisy) || above->status == RowStatus::noisy};
}

TableLatencySource::TableLatencySource(const Table& table, int batch, DataType type, CacheState cache,
                                       std::int64_t footprint_bytes)
    : table_(table),
      batch_(batch),
      type_(type),
      cache_(cache),
      footprint_bytes_(cache == CacheState::network ? footprint_bytes : 0) {
    if (batch < 1) throw InputError(fmt::format("the batch is {}, expected 1 or more", batch));
}

LatencyEstimate TableLatencySource::estimate(const LayerSpec& layer) const {
    if (const auto known = known_.find(layer); known != known_.end()) return known->second;
    return known_[layer] = look_up(layer);
}

LatencyEstimate TableLatencySource::look_up(const LayerSpec& layer) const {
    const LayerFamily family = family_of(layer);
    if (loaded_.insert(family.shape).second) {
        load_shape(layer);
        if (const auto known = known_.find(layer); known != known_.end()) return known->second;
    }
    const auto surface = surfaces_.find(family);
    if (surface == surfaces_.end()) return {};
    const auto latency_us = surface->second.at(layer);
    if (!latency_us) return {};
    return {*latency_us, EstimateKind::interpolated};
}

// Reads all families of the layer's shape, whatever their groups.
void TableLatencySource::load_shape(const LayerSpec& layer) const {
    std::vector<Row> rows;  // of one layer
    const auto add_layer = [&] {
        if (rows.empty()) return;
        const LayerSpec& known_layer = rows.front().key.layer;
        const LatencyEstimate latency = latency_at_footprint(rows, footprint_bytes_);
        known_[known_layer] = latency;
        surfaces_[family_of(known_layer)].add(known_layer, latency.latency_us);
        rows.clear();
    };
    table_.for_each_of_family(layer, batch_, type_, cache_, [&](const Row& row) {
        if (!rows.empty() && rows.front().key.layer != row.key.layer) add_layer();
        rows.push_back(row);
    });
    add_layer();
}

}  // namespace hacscale
