// Latency over width is a staircase: widths between two steps are nearly free. These functions show the steps
// of one stage with everything else at the base, and say which widths are free and which are wasteful. What
// "no measurable extra latency" means is defined here, and in docs/method.md, "Free capacity".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/stages/model_spec.hpp"
#include "scaling/detail/block_costs.hpp"

namespace hacscale {

struct StaircasePoint {
    int width = 0;
    double latency_us = 0.0;  // without the layers that are missing
    std::int64_t macs = 0;    // of one image
    std::int64_t params = 0;
    EstimateKind estimate = EstimateKind::measured;  // the weakest of the layers'
    double ci95_us = 0.0;  // half-width of the sum's 95 % interval; only where all layers are measured
    bool noisy = false;    // all layers are measured, one of them from a noisy row
};

// The sum over these nodes. Layers that are equal have one row of the table: its error counts once for each
// of them, while errors of different rows are independent and add in quadrature.
StaircasePoint sum_of(int width, const std::vector<const Node*>& nodes, const LatencySource& source);

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

// What a width costs beyond another one.
enum class ExtraKind {
    none,        // not measurable
    measurable,  // more than the tolerance, and more than its interval
    unclear,     // both are measured, but too noisily to tell
    unknown,     // one of the two is interpolated or missing
};
struct Extra {
    ExtraKind kind = ExtraKind::unknown;
    double latency_us = 0.0;  // 0 when unknown; negative where the second width is faster
    double ci95_us = 0.0;
};

constexpr double free_tolerance = 0.02;  // twice the interval at which the timing of a network stops

// With D the second width's latency less the first's, c its interval's half-width and t the tolerance times
// the first's latency: none when D <= t and D + c <= 3 t, measurable when D > t and D > c, else unclear.
Extra extra_of(const StaircasePoint& from, const StaircasePoint& to, double tolerance);

// The widest width with no measurable extra latency over that of `base_width`, whatever narrower ones cost:
// some kernels are faster at a wider width. `base_width` itself when it is not among the points (ascending).
int free_width(const std::vector<StaircasePoint>& points, int base_width, double tolerance);

// The narrower width that saves more time than its share of the work: of the widths that `base_width` is measurably slower
// than, the one with the greatest difference between the share of the latency and the share of the MACs that it saves, if
// that is above the tolerance. Nothing where there is none, or where `base_width` is not among the points (ascending).
std::optional<int> worthwhile_drop(const std::vector<StaircasePoint>& points, int base_width,
                                   double tolerance);

// A width just past an edge: measurably slower than the measured width before it, and no faster than a wider
// one, which would be the better use of the same time.
struct WastefulWidth {
    int width = 0;
    int before = 0;              // the measured width before it
    Extra extra;                 // over that
    int same_latency_up_to = 0;  // the widest width with no measurable extra over this one
};
std::vector<WastefulWidth> wasteful_widths(const std::vector<StaircasePoint>& points, double tolerance);

}  // namespace hacscale
