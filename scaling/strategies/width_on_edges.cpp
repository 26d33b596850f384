#include "scaling/strategies/families.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "scaling/analysis/staircase.hpp"

namespace hacscale::rules {
namespace {

constexpr int largest_multiplier = 4;

// The edges of one stage, found as they are asked for.
class StageEdges {
public:
    StageEdges(const ScalingContext& context, int stage)
        : view_(context.base(), stage),
          source_(context.source()),
          grid_(context.settings().space.grid),
          base_width_(context.base().stages[static_cast<std::size_t>(stage)].width),
          width_(base_width_) {}

    int width() const { return width_; }
    // The multiplier at which the rounded width passes the current edge; infinite when there is no further
    // edge.
    double next_multiplier() {
        find_next();
        if (next_ == 0) return std::numeric_limits<double>::infinity();
        return (width_ + 0.5 * grid_) / base_width_;
    }
    void advance() {
        find_next();
        if (next_ != 0) width_ = std::exchange(next_, unknown);
    }
    // To the end of the step that the base is on.
    void advance_from_base() { width_ = end_of_step(base_width_); }

private:
    static constexpr int unknown = -1;

    void find_next() {
        if (next_ != unknown) return;
        const int start = next_predicted(width_);
        next_ = start == 0 ? 0 : end_of_step(start);
    }

    // The last width before latency exceeds that of `start` by more than the tolerance.
    int end_of_step(int start) const {
        const double limit_us = (1.0 + edge_tolerance) * view_.at(start, source_).latency_us;
        int end = start;
        for (int width = next_predicted(start); width != 0; width = next_predicted(width)) {
            if (view_.at(width, source_).latency_us > limit_us) break;
            end = width;
        }
        return end;
    }

    // The next width on the grid whose layers the table knows; 0 when there is none.
    int next_predicted(int width) const {
        for (int next = (width / grid_ + 1) * grid_; next <= largest_multiplier * base_width_;
             next += grid_) {
            if (view_.at(next, source_).estimate != EstimateKind::missing) return next;
        }
        return 0;
    }

    StageView view_;
    const LatencySource& source_;
    int grid_;
    int base_width_;
    int width_;
    int next_ = unknown;  // 0: there is none
};

class EdgesPath {
public:
    explicit EdgesPath(const ScalingContext& context)
        : base_(context.base()), given_(given_widths(base_)), choice_(choice_of(base_)) {
        for (int stage = 0; stage < static_cast<int>(context.base().stages.size()); ++stage) {
            stages_.emplace_back(context, stage);
        }
    }

    std::optional<ScalingChoice> next() {
        if (steps_++ == 0) return choice_;
        if (steps_ == 2) {
            for (StageEdges& stage : stages_) stage.advance_from_base();
            if (update()) return choice_;
        }
        double nearest = std::numeric_limits<double>::infinity();
        for (StageEdges& stage : stages_) nearest = std::min(nearest, stage.next_multiplier());
        if (nearest == std::numeric_limits<double>::infinity()) return std::nullopt;
        for (StageEdges& stage : stages_) {
            if (stage.next_multiplier() == nearest) stage.advance();
        }
        update();
        return choice_;
    }

private:
    bool update() {
        const std::vector<int> before = choice_.widths;
        for (std::size_t s = 0; s < stages_.size(); ++s) {
            if (given_[s]) continue;
            choice_.widths[s] = tied_to_before(base_, s) ? choice_.widths[s - 1] : stages_[s].width();
        }
        return choice_.widths != before;
    }

    const ModelSpec& base_;
    std::vector<bool> given_;  // by stage: its width is one of the network's outputs
    std::vector<StageEdges> stages_;
    ScalingChoice choice_;
    int steps_ = 0;
};

}  // namespace

Path edges_path(const ScalingContext& context) {
    auto path = std::make_shared<EdgesPath>(context);
    return [path] { return path->next(); };
}

std::vector<Strategy> width_on_edges_strategies() {
    return {{"width-on-edges", "wider stages, each on the last width before its next latency step",
             "w = s^1/2, on to the step's edge", [](const ScalingContext& context, std::int64_t budget_ps) {
                 return last_within(context, edges_path(context), budget_ps);
             }}};
}

}  // namespace hacscale::rules
