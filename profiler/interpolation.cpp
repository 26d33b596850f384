#include "profiler/interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "models/layer_cost.hpp"

namespace hacscale {
namespace {

constexpr double most_channel_ratio = 1.25;  // of a measured layer that is scaled
constexpr double most_squeeze_ratio = 1.5;   // between the squeeze shares of layers that are compared

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

struct Bracket {
    int low = 0;
    int high = 0;
};

// The nearest output widths around `out` that both columns have; they are equal when both have `out` itself.
std::optional<Bracket> common_bracket(const Column& first, const Column& second, int out) {
    auto high = first.lower_bound(out);
    while (high != first.end() && !second.contains(high->first)) ++high;
    if (high == first.end()) return std::nullopt;
    if (high->first == out) return Bracket{out, out};
    auto low = std::make_reverse_iterator(first.lower_bound(out));
    while (low != first.rend() && !second.contains(low->first)) ++low;
    if (low == first.rend()) return std::nullopt;
    return Bracket{low->first, high->first};
}

struct Cell {
    int left = 0;
    int right = 0;
    Bracket out;
    double size = std::numeric_limits<double>::infinity();  // sum of the logarithms of both sides
};

// Tries pairs of columns from the nearest outwards and stops where their distance alone is beyond the best
// cell.
std::optional<double> in_cell(const Grid& grid, int in, int out) {
    Cell best;
    const auto first_right = grid.lower_bound(in);
    // A column at `in` itself is a left neighbour too.
    const auto last_left = grid.upper_bound(in);
    for (auto right = first_right; right != grid.end(); ++right) {
        if (distance(right->first, in) >= best.size) break;
        for (auto left = std::make_reverse_iterator(last_left); left != grid.rend(); ++left) {
            const double width = distance(right->first, left->first);
            if (width >= best.size) break;
            const auto bracket = common_bracket(left->second, right->second, out);
            if (!bracket) continue;
            const double size = width + distance(bracket->high, bracket->low);
            if (size < best.size) best = {left->first, right->first, *bracket, size};
        }
    }
    if (best.left == 0) return std::nullopt;
    const auto along_column = [&](int column) {
        const Column& points = grid.at(column);
        return linear(out, best.out.low, points.at(best.out.low), best.out.high, points.at(best.out.high));
    };
    return linear(in, best.left, along_column(best.left), best.right, along_column(best.right));
}

// Points (k*in, k*out) on both sides of the layer.
std::optional<double> on_ray(const Grid& grid, int in, int out) {
    const auto on_it = [&](int column_in) -> std::optional<double> {
        const long long numerator = static_cast<long long>(column_in) * out;
        if (numerator % in != 0) return std::nullopt;
        const Column& column = grid.at(column_in);
        const auto point = column.find(static_cast<int>(numerator / in));
        if (point == column.end()) return std::nullopt;
        return point->second;
    };
    const auto start = grid.lower_bound(in);
    for (auto right = start; right != grid.end(); ++right) {
        const auto high = on_it(right->first);
        if (!high) continue;
        for (auto left = std::make_reverse_iterator(start); left != grid.rend(); ++left) {
            if (const auto low = on_it(left->first))
                return linear(in, left->first, *low, right->first, *high);
        }
        break;
    }
    return std::nullopt;
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
    if (gap > std::log(most_squeeze_ratio)) return std::nullopt;
    return gap;
}

// The second coordinate of a layer in its family's grid.
int out_coordinate(const LayerSpec& layer) {
    return family_of(layer).one_dimension ? 1 : layer.out_channels;
}

}  // namespace

LayerFamily family_of(const LayerSpec& layer) {
    LayerFamily family;
    family.shape = layer;
    family.shape.in_channels = 0;
    family.shape.out_channels = 0;
    family.shape.groups = 0;
    family.shape.squeeze_channels = 0;
    if (layer.kind == LayerKind::conv && layer.groups > 1) {
        family.channels_a_group = layer.in_channels / layer.groups;
        family.one_dimension = layer.in_channels == layer.out_channels;
    } else {
        family.one_dimension = layer.kind != LayerKind::conv && layer.kind != LayerKind::linear;
    }
    return family;
}

void ChannelSurface::add(const LayerSpec& layer, double latency_us) {
    points_[layer] = latency_us;
    grid_[layer.in_channels][out_coordinate(layer)] = latency_us;
}

std::optional<double> ChannelSurface::at(const LayerSpec& layer) const {
    if (const auto point = points_.find(layer); point != points_.end()) return point->second;
    const bool squeeze = layer.kind == LayerKind::squeeze_excite;
    const Grid comparable = squeeze ? squeeze_grid(layer) : Grid();
    const Grid& grid = squeeze ? comparable : grid_;
    const int out = out_coordinate(layer);
    if (const auto latency_us = in_cell(grid, layer.in_channels, out)) return latency_us;
    if (const auto latency_us = on_ray(grid, layer.in_channels, out)) return latency_us;
    return scaled_nearest(layer);
}

// For each number of channels, the squeeze-excite whose squeeze width is the nearest share of it.
ChannelSurface::Grid ChannelSurface::squeeze_grid(const LayerSpec& layer) const {
    std::map<int, double> nearest;
    Grid grid;
    for (const auto& [measured, latency_us] : points_) {
        const auto gap = squeeze_distance(layer, measured);
        if (!gap) continue;
        const auto [known, is_new] = nearest.try_emplace(measured.in_channels, *gap);
        if (!is_new && known->second <= *gap) continue;
        known->second = *gap;
        grid[measured.in_channels][out_coordinate(measured)] = latency_us;
    }
    return grid;
}

std::optional<double> ChannelSurface::scaled_nearest(const LayerSpec& layer) const {
    std::optional<double> latency_us;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [measured, measured_us] : points_) {
        if (!within_ratio(layer.in_channels, measured.in_channels, most_channel_ratio)) continue;
        if (!within_ratio(layer.out_channels, measured.out_channels, most_channel_ratio)) continue;
        if (layer.kind == LayerKind::squeeze_excite && !squeeze_distance(layer, measured)) continue;
        const double gap = distance(layer.in_channels, measured.in_channels) +
                           distance(layer.out_channels, measured.out_channels);
        if (gap >= least) continue;
        least = gap;
        latency_us = measured_us * work_ratio(layer, measured);
    }
    return latency_us;
}

}  // namespace hacscale
