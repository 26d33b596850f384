// Latency of a layer that was not measured, from measured ones that differ from it in channels alone. Latency
// over width is a staircase, so this never goes beyond what was measured by more than a small step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/ops/layer_spec.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// Layers that differ in channels alone. Dense convs and linear layers have two free dimensions, input and
// output channels; convs with several groups keep the channels a group, and have one free dimension when they
// have as many outputs as inputs (depthwise ones do); pools, squeeze-excites and scale-shifts have one.
struct LayerFamily {
    LayerSpec shape;           // channels, groups and squeeze width set to 0
    int channels_a_group = 0;  // 0: one group. Depthwise convs have 1.
    bool one_dimension = false;
    auto operator<=>(const LayerFamily&) const = default;
};

LayerFamily family_of(const LayerSpec& layer);

// The measured latencies of one family.
class ChannelSurface {
public:
    // Every layer added belongs to one family; one added twice keeps the last value.
    void add(const LayerSpec& layer, double latency_us);

    // The first of these that the measured points allow:
    //  - the smallest cell around the layer: between two input widths, each with the nearest measured output
    //    widths around the layer's own, or around where the line of the layer's ratio of input to output
    //    crosses it; or so with input and output exchanged; or a line of one input or output width. Linear in
    //    each direction, so bilinear in a rectangle of measured points. Smallest is meant in ratios of
    //    channels.
    //  - of squeeze-excites, a line of those whose squeeze width is nearly (within a factor of 1.5) the same
    //    share of their channels;
    //  - the nearest measured layer, its channels at most a factor of 1.25 away, times the ratio of MACs (of
    //    bytes where there are no MACs).
    // A squeeze-excite has its squeeze width as output width here. Exact at measured points; the first two
    // stay within the smallest and greatest of the points that they use.
    std::optional<double> at(const LayerSpec& layer) const;

private:
    // Input channels, then output channels (1 in a family of one dimension), or the other way about.
    using Column = std::map<int, double>;
    using Grid = std::map<int, Column>;

    Grid squeeze_row(const LayerSpec& layer) const;
    std::optional<double> scaled_nearest(const LayerSpec& layer) const;

    std::map<LayerSpec, double> points_;
    Grid columns_;  // of points_: one for each input width
    Grid rows_;     // one for each output width; not used in families of one dimension
};

// Latencies from a table, as planners ask for them: measured rows as they are, layers between them
// interpolated as above. A million questions cost little: each family of layers is read
// from the table once, at the first question about it, and each answer is kept.
class TableLatencySource : public LatencySource {
public:
    // For the network state, `footprint_bytes` says how large one pass of the network in question is: a
    // layer's latency is taken between its two nearest measured footprints, linear in the logarithm, and
    // beyond the ends as at the end; that counts as measured. Give footprint_bucket() of a network that was
    // itself a host network to get its own rows unmixed. Other states have no footprint, and the value is not
    // used. InputError for a batch below 1. `table` must outlive this. Rows put after a family was first
    // asked for are not seen.
    TableLatencySource(const Table& table, int batch, DataType type, CacheState cache,
                       std::int64_t footprint_bytes = 0);

    // Rows that are noisy count as measured, those that failed as not measured. A layer that the device does not support is
    // missing, whatever its neighbours take: nothing could run it.
    LatencyEstimate estimate(const LayerSpec& layer) const override;

private:
    LatencyEstimate look_up(const LayerSpec& layer) const;
    void load_shape(const LayerSpec& layer) const;

    const Table& table_;
    int batch_;
    DataType type_;
    CacheState cache_;
    std::int64_t footprint_bytes_;
    mutable std::unordered_map<LayerSpec, LatencyEstimate, LayerSpecHash> known_;
    mutable std::map<LayerFamily, ChannelSurface> surfaces_;
    mutable std::set<LayerSpec> loaded_;  // by LayerFamily::shape
};

// Latency at a footprint, from rows of one layer with ascending footprints (at least one, each with a
// latency). Between two rows the interval is that of their weighted mean, and noise of either one counts.
LatencyEstimate latency_at_footprint(const std::vector<Row>& rows, std::int64_t footprint_bytes);

}  // namespace hacscale
