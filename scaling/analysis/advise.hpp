// Where a network could be wider at no measurable extra latency, where fewer channels save more time than their share, and
// where it pays for channels that it does not have: the staircase of each width that can be chosen alone (models/structure/structure.hpp), and of each
// stage as scaling widens it, everything else at the base. Widths are judged by measured rows only
// (scaling/analysis/staircase.hpp); interpolated and missing ones are kept as such and never advised.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/latency_source.hpp"
#include "scaling/analysis/staircase.hpp"

namespace hacscale {

struct AdviseSettings {
    double tolerance = free_tolerance;  // of the base's latency; above 0, at most 1
    int grid = 8;                       // channels; widths looked at are multiples
    double max_width_ratio = 2.0;       // widest, over the base's width; the narrowest is half of it
};

enum class CapacityState {
    found,    // a wider width has no measurable extra latency
    none,     // every wider width that is measured costs more
    unclear,  // none is free, and some of those measured are too noisy to tell
    unknown,  // the base's width or all wider ones are not measured
};

struct WidthAdvice {
    std::string name;
    int base_width = 0;
    // Indices into the network's nodes. Those whose output has this width, and all whose latency changes with
    // it: these and their readers. The latter are what the points sum.
    std::vector<std::size_t> members;
    std::vector<std::size_t> touched;
    std::vector<StaircasePoint> points;  // ascending; base_width is among them
    std::vector<Extra> extras;           // of each point over the base
    std::vector<WastefulWidth> wasteful;
    CapacityState state = CapacityState::unknown;
    int free_width = 0;              // base_width where none is free
    std::optional<int> costly_from;  // the first measured width above free_width that measurably costs more
    std::optional<int> worthwhile_drop;  // narrower than base_width (scaling/analysis/staircase.hpp)

    // Those touched that are no members: what reads the width.
    std::vector<std::size_t> readers() const;
    const StaircasePoint& at(int width) const;  // one of the points'
    const Extra& extra_at(int width) const;
};

// What the layer's own width says of it, and where that is not measured, what its stage as a whole does.
struct LayerAdvice {
    std::string name;  // of the node
    LayerSpec layer;
    LatencyEstimate estimate;          // at the base
    std::optional<std::size_t> width;  // index into CapacityAdvice::widths; none: its channels are given
    bool by_stage = false;             // the following are those of the stage as a whole
    std::size_t stage = 0;             // index into CapacityAdvice::stages; only where by_stage
    CapacityState state = CapacityState::unknown;
    int free_channels = 0;          // that the layer puts out at the free width
    LatencyEstimate free_estimate;  // and what it takes then
};

struct CapacityAdvice {
    NetworkEstimate base;
    std::vector<std::string> node_names;
    std::vector<WidthAdvice> widths;  // in the order of the network
    std::vector<WidthAdvice>
        stages;  // one a stage where there are some, with its derived widths (models/stages/scaled_model.hpp)
    std::vector<LayerAdvice> layers;  // convs and linear layers, in running order

    // What decided a layer's advice; null where its channels are given.
    const WidthAdvice* decider(const LayerAdvice& layer) const;
};

// Throws InputError for settings out of their range and when the table has no layer of the base at all.
CapacityAdvice advise(const ModelSpec& base, const LatencySource& source, const AdviseSettings& settings);
// The same of a network without stages, whose widths are its channel groups. `name` is for the message.
CapacityAdvice advise(const std::string& name, const Graph& network, const LatencySource& source,
                      const AdviseSettings& settings);

}  // namespace hacscale
