#include "profiler/table/interpolation.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "base/error.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr double max_channel_ratio = 1.25;  // of a measured layer that is scaled
constexpr double max_squeeze_ratio = 1.5;   // between the squeeze shares of layers that are compared

using Column = std::map<int, double>;
using Grid = std::map<int, Column>;

// How far apart two widths are, as |ln(a/b)|.
double distance(int a, int b) {
    return std::abs(std::log(static_cast<double>(a) / b));
}

double squeeze_share(const LayerSpec& layer) {
    return static_cast<double>(layer.squeeze_channels) / layer.in_channels;
}

double linear(double x, double x0, double y0, double x1, double y1) {
    if (x0 == x1) return y0;
    return std::lerp(y0, y1, (x - x0) / (x1 - x0));
}

struct Estimate {
    double latency_us = 0.0;
    double size =
        std::numeric_limits<double>::infinity();  // of what it is taken from, in logarithms of widths
};

// Between the nearest points of a column around `out`.
std::optional<Estimate> along(const Column& column, double out) {
    const auto high = column.lower_bound(static_cast<int>(std::ceil(out)));
    if (high == column.end()) return std::nullopt;
    if (high->first == out) return Estimate{high->second, 0.0};
    if (high == column.begin()) return std::nullopt;
    const auto low = std::prev(high);
    return Estimate{linear(out, low->first, low->second, high->first, high->second),
                    distance(high->first, low->first)};
}

// From two columns: where both have the layer's `out`, or where the ray through the layer crosses them. The
// ray crosses as many widths of `out` as of `in`, so its length counts twice.
Estimate from_columns(const Grid::value_type& left, const Grid::value_type& right, int in, int out) {
    const double width = distance(right.first, left.first);
    Estimate best;
    for (const bool ray : {false, true}) {
        const auto at = [&](const Grid::value_type& column) {
            return along(column.second, ray ? static_cast<double>(out) * column.first / in : out);
        };
        const auto low = at(left);
        const auto high = low ? at(right) : std::nullopt;
        if (!high) continue;
        const double size = (ray ? 2.0 : 1.0) * width + std::max(low->size, high->size);
        if (size >= best.size) continue;
        best = {linear(in, left.first, low->latency_us, right.first, high->latency_us), size};
    }
    return best;
}

// Tries pairs of columns from the nearest outwards and stops where their distance alone is beyond the best
// cell. A column at `in` itself is a neighbour on both sides.
Estimate in_columns(const Grid& grid, int in, int out, Estimate best) {
    const auto first_right = grid.lower_bound(in);
    const auto last_left = grid.upper_bound(in);
    for (auto right = first_right; right != grid.end(); ++right) {
        if (distance(right->first, in) >= best.size) break;
        for (auto left = std::make_reverse_iterator(last_left); left != grid.rend(); ++left) {
            if (distance(right->first, left->first) >= best.size) break;
            const Estimate cell = from_columns(*left, *right, in, out);
            if (cell.size < best.size) best = cell;
        }
    }
    return best;
}

// How the work of two layers of a family compares; batch and data type cancel out of MACs and nearly out of
// bytes.
double work_ratio(const LayerSpec& layer, const LayerSpec& measured) {
    const LayerCost wanted = cost_of(layer, 1, DataType::f32);
    const LayerCost known = cost_of(measured, 1, DataType::f32);
    if (wanted.macs > 0 && known.macs > 0) {
        return static_cast<double>(wanted.macs) / static_cast<double>(known.macs);
    }
    return static_cast<double>(wanted.bytes) / static_cast<double>(known.bytes);
}

bool within_ratio(int a, int b, double ratio) {
    return std::max(a, b) <= ratio * std::min(a, b);
}

// How far apart two squeeze-excites' shares are, as |ln(a/b)|; nothing when they are too far apart to be
// compared.
std::optional<double> squeeze_distance(const LayerSpec& a, const LayerSpec& b) {
    const double gap = std::abs(std::log(squeeze_share(a) / squeeze_share(b)));
    if (gap > std::log(max_squeeze_ratio)) return std::nullopt;
    return gap;
}

// What varies in a layer's family besides its input channels; null where nothing does.
int LayerSpec::*second_axis(const LayerSpec& layer) {
    return operator_of(layer.kind).second_axis(layer);
}

bool varies_in_squeeze(const LayerSpec& layer) {
    return second_axis(layer) == &LayerSpec::squeeze_channels;
}

// The second coordinate of a layer in its family's grid.
int out_coordinate(const LayerSpec& layer) {
    int LayerSpec::*const axis = second_axis(layer);
    return axis == nullptr ? 1 : layer.*axis;
}

}  // namespace

LayerFamily family_of(const LayerSpec& layer) {
    LayerFamily family;
    family.shape = layer;
    family.shape.in_channels = 0;
    family.shape.out_channels = 0;
    family.shape.squeeze_channels = 0;
    family.shape.first_channel = 0;  // where a slice begins makes no difference
    // Groups that are not weights' are a number that a network chooses: a shuffle's.
    const ChannelTie tie = operator_of(layer.kind).channel_tie(layer);
    if (tie != ChannelTie::fixed && tie != ChannelTie::moved) {
        family.shape.groups = 0;
        if (layer.groups > 1) family.channels_a_group = layer.in_channels / layer.groups;
    }
    family.one_dimension = second_axis(layer) != &LayerSpec::out_channels;
    return family;
}

void ChannelSurface::add(const LayerSpec& layer, double latency_us) {
    const int out = out_coordinate(layer);
    points_[layer] = latency_us;
    columns_[layer.in_channels][out] = latency_us;
    if (second_axis(layer) != nullptr) rows_[out][layer.in_channels] = latency_us;
}

std::optional<double> ChannelSurface::at(const LayerSpec& layer) const {
    if (const auto point = points_.find(layer); point != points_.end()) return point->second;
    const int out = out_coordinate(layer);
    Estimate cell = in_columns(columns_, layer.in_channels, out, {});
    if (second_axis(layer) != nullptr) cell = in_columns(rows_, out, layer.in_channels, cell);
    if (cell.size == std::numeric_limits<double>::infinity() && varies_in_squeeze(layer)) {
        cell = in_columns(squeeze_row(layer), layer.in_channels, 1, {});
    }
    if (cell.size < std::numeric_limits<double>::infinity()) return cell.latency_us;
    return scaled_nearest(layer);
}

// For each number of channels, the squeeze-excite whose squeeze width is the nearest share of it.
ChannelSurface::Grid ChannelSurface::squeeze_row(const LayerSpec& layer) const {
    std::map<int, double> nearest;
    Grid grid;
    for (const auto& [measured, latency_us] : points_) {
        const auto gap = squeeze_distance(layer, measured);
        if (!gap) continue;
        const auto [known, is_new] = nearest.try_emplace(measured.in_channels, *gap);
        if (!is_new && known->second <= *gap) continue;
        known->second = *gap;
        grid[measured.in_channels][1] = latency_us;
    }
    return grid;
}

std::optional<double> ChannelSurface::scaled_nearest(const LayerSpec& layer) const {
    std::optional<double> latency_us;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [measured, measured_us] : points_) {
        if (!within_ratio(layer.in_channels, measured.in_channels, max_channel_ratio)) continue;
        if (!within_ratio(layer.out_channels, measured.out_channels, max_channel_ratio)) continue;
        if (varies_in_squeeze(layer) && !squeeze_distance(layer, measured)) continue;
        const double gap = distance(layer.in_channels, measured.in_channels) +
                           distance(layer.out_channels, measured.out_channels);
        if (gap >= least) continue;
        least = gap;
        latency_us = measured_us * work_ratio(layer, measured);
    }
    return latency_us;
}

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
        const LayerSpec known_layer = rows.front().key.layer;
        std::erase_if(rows, [](const Row& row) { return !has_latency(row.status); });
        LatencyEstimate& latency = known_[known_layer];
        if (!rows.empty()) {
            latency = latency_at_footprint(rows, footprint_bytes_);
            surfaces_[family_of(known_layer)].add(known_layer, latency.latency_us);
        }
        rows.clear();
    };
    table_.for_each_of_family(layer, batch_, type_, cache_, [&](const Row& row) {
        if (!rows.empty() && rows.front().key.layer != row.key.layer) add_layer();
        rows.push_back(row);
    });
    add_layer();
}

}  // namespace hacscale
