// Latencies from a table, as planners ask for them: measured rows as they are, layers between them
// interpolated (profiler/table/interpolation.hpp). A million questions cost little: each family of layers is read
// from the table once, at the first question about it, and each answer is kept.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

class TableLatencySource : public LatencySource {
public:
    // For the network state, `footprint_bytes` says how large one pass of the network in question is: a
    // layer's latency is taken between its two nearest measured footprints, linear in the logarithm, and
    // beyond the ends as at the end; that counts as measured. Give footprint_bucket() of a network that was
    // itself a carrier to get its own rows unmixed. Other states have no footprint, and the value is not
    // used. InputError for a batch below 1. `table` must outlive this. Rows put after a family was first
    // asked for are not seen.
    TableLatencySource(const Table& table, int batch, DataType type, CacheState cache,
                       std::int64_t footprint_bytes = 0);

    // Rows that are noisy count as measured; those that failed or are unsupported as not measured.
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
