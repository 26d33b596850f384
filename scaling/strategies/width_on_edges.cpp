#include "scaling/strategies/families.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace hacscale::rules {
namespace {

constexpr int largest_multiplier = 4;

// The edges of one width, found as they are asked for.
class WidthEdges {
public:
    WidthEdges(const ScalingContext& context, std::size_t index)
        : context_(context),
          index_(index),
          step_(context.space().widths[index].step),
          base_width_(context.base_choice().widths[index]),
          width_(base_width_) {}

    int width() const { return width_; }
    // The multiplier at which the rounded width passes the current edge; infinite when there is no further
    // edge.
    double next_multiplier() {
        find_next();
        if (next_ == 0) return std::numeric_limits<double>::infinity();
        return (width_ + 0.5 * step_) / base_width_;
    }
    void advance() {
        find_next();
        if (next_ != 0) width_ = std::exchange(next_, unknown);
        below_ = unknown;
    }
    // The multiplier at which the rounded width comes to the edge below; 0 when there is none.
    double multiplier_below() {
        find_below();
        return below_ == 0 ? 0.0 : (below_ + 0.5 * step_) / base_width_;
    }
    void retreat() {
        find_below();
        if (below_ != 0) width_ = std::exchange(below_, unknown);
        next_ = unknown;
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

    // The widest width that is faster than this one by more than the tolerance.
    void find_below() {
        if (below_ != unknown) return;
        const double here_us = *context_.latency_around_us(index_, width_);
        below_ = 0;
        for (int width = (width_ - 1) / step_ * step_; width >= step_ && below_ == 0; width -= step_) {
            const std::optional<double> latency_us = context_.latency_around_us(index_, width);
            if (latency_us && *latency_us * (1.0 + edge_tolerance) < here_us) below_ = width;
        }
    }

    // The last width before latency exceeds that of `start` by more than the tolerance.
    int end_of_step(int start) const {
        const double limit_us = (1.0 + edge_tolerance) * *context_.latency_around_us(index_, start);
        int end = start;
        for (int width = next_predicted(start); width != 0; width = next_predicted(width)) {
            if (*context_.latency_around_us(index_, width) > limit_us) break;
            end = width;
        }
        return end;
    }

    // The next width on the grid whose layers the table knows; 0 when there is none.
    int next_predicted(int width) const {
        for (int next = (width / step_ + 1) * step_; next <= largest_multiplier * base_width_;
             next += step_) {
            if (context_.latency_around_us(index_, next)) return next;
        }
        return 0;
    }

    const ScalingContext& context_;
    std::size_t index_;
    int step_;
    int base_width_;
    int width_;
    int next_ = unknown;   // 0: there is none
    int below_ = unknown;  // likewise
};

class EdgesPath {
public:
    EdgesPath(const ScalingContext& context, Direction direction)
        : space_(context.space()), direction_(direction), choice_(context.base_choice()) {
        for (std::size_t i = 0; i < space_.widths.size(); ++i) widths_.emplace_back(context, i);
    }

    std::optional<ScalingChoice> next() {
        if (steps_++ == 0) return choice_;
        if (steps_ == 2) {
            for (WidthEdges& width : widths_) width.advance_from_base();
            if (update()) return choice_;
        }
        do {
            if (!(direction_ == Direction::up ? advance() : retreat())) return std::nullopt;
        } while (!update());
        return choice_;
    }

private:
    // False at the end.
    bool advance() {
        double nearest = std::numeric_limits<double>::infinity();
        for (WidthEdges& width : widths_) nearest = std::min(nearest, width.next_multiplier());
        if (nearest == std::numeric_limits<double>::infinity()) return false;
        for (WidthEdges& width : widths_) {
            if (width.next_multiplier() == nearest) width.advance();
        }
        return true;
    }
    bool retreat() {
        double nearest = 0.0;
        for (WidthEdges& width : widths_) nearest = std::max(nearest, width.multiplier_below());
        if (nearest == 0.0) return false;
        for (WidthEdges& width : widths_) {
            if (width.multiplier_below() == nearest) width.retreat();
        }
        return true;
    }

    bool update() {
        const std::vector<int> before = choice_.widths;
        for (std::size_t i = 0; i < widths_.size(); ++i) {
            if (!space_.widths[i].given) choice_.widths[i] = widths_[space_.widths[i].leader].width();
        }
        return choice_.widths != before;
    }

    const ChoiceSpace& space_;
    Direction direction_;
    std::vector<WidthEdges> widths_;
    ScalingChoice choice_;
    int steps_ = 0;
};

}  // namespace

Path edges_path(const ScalingContext& context, Direction direction) {
    auto path = std::make_shared<EdgesPath>(context, direction);
    return [path] { return path->next(); };
}

std::vector<Strategy> width_on_edges_strategies() {
    return {{"width-on-edges", "all widths alike, each on the last width before its next latency step",
             "w = s^1/2, on to the step's edge", [](const ScalingContext& context, std::int64_t budget_ps) {
                 const auto path_to = [&](Direction direction) { return edges_path(context, direction); };
                 return along(context, path_to, budget_ps);
             }}};
}

}  // namespace hacscale::rules
