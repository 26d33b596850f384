// Latency over width is a staircase: widths between two steps are nearly free. These functions show the steps
// of one stage, or one layer, with everything else at the base.
#pragma once

#include <cstdint>
#include <vector>

#include "models/model_spec.hpp"
#include "profiler/latency_source.hpp"
#include "scaling/detail/fragment.hpp"

namespace hacscale {

struct StaircasePoint {
    int width = 0;
    double latency_us = 0.0;  // without the layers that are missing
    std::int64_t macs = 0;    // of one image
    std::int64_t params = 0;
    EstimateKind estimate = EstimateKind::measured;  // the weakest of the layers'
};

// What one stage's width touches: the stage's layers and those that read or feed them at that width, which
// are the first block of the next stage, the stem before the first stage, and the head after the last.
class StageView {
public:
    // `base` must outlive this. Throws InputError for a stage that is not there.
    StageView(const ModelSpec& base, int stage);
    // Throws InputError for a width that makes no valid model.
    StaircasePoint at(int width, const LatencySource& source) const;

private:
    bool is_last() const { return stage_ + 1 == base_.stages.size(); }

    const ModelSpec& base_;
    std::size_t stage_;
    detail::Fragment own_;
    detail::Fragment next_;  // or the head
};

std::vector<StaircasePoint> stage_staircase(const ModelSpec& base, int stage, const std::vector<int>& widths,
                                            const LatencySource& source);

// One layer over its output channels (all channels, where it is depthwise or keeps its width).
std::vector<StaircasePoint> layer_staircase(const LayerSpec& layer, const std::vector<int>& widths,
                                            const LatencySource& source);

// The widest width whose latency is at most (1 + tolerance) times that of `base_width`; points with missing
// layers do not count. `base_width` itself when it is not among the points.
int free_width(const std::vector<StaircasePoint>& points, int base_width, double tolerance);

}  // namespace hacscale
