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
          grid_(context.space().widths[index].step),
          base_width_(context.base_choice().widths[index]),
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
        for (int next = (width / grid_ + 1) * grid_; next <= largest_multiplier * base_width_;
             next += grid_) {
            if (context_.latency_around_us(index_, next)) return next;
        }
        return 0;
    }

    const ScalingContext& context_;
    std::size_t index_;
    int grid_;
    int base_width_;
    int width_;
    int next_ = unknown;  // 0: there is none
};

class EdgesPath {
public:
    explicit EdgesPath(const ScalingContext& context)
        : space_(context.space()), choice_(context.base_choice()) {
        for (std::size_t i = 0; i < space_.widths.size(); ++i) widths_.emplace_back(context, i);
    }

    std::optional<ScalingChoice> next() {
        if (steps_++ == 0) return choice_;
        if (steps_ == 2) {
            for (WidthEdges& width : widths_) width.advance_from_base();
            if (update()) return choice_;
        }
        double nearest = std::numeric_limits<double>::infinity();
        for (WidthEdges& width : widths_) nearest = std::min(nearest, width.next_multiplier());
        if (nearest == std::numeric_limits<double>::infinity()) return std::nullopt;
        for (WidthEdges& width : widths_) {
            if (width.next_multiplier() == nearest) width.advance();
        }
        update();
        return choice_;
    }

private:
    bool update() {
        const std::vector<int> before = choice_.widths;
        for (std::size_t i = 0; i < widths_.size(); ++i) {
            if (!space_.widths[i].given) choice_.widths[i] = widths_[space_.widths[i].leader].width();
        }
        return choice_.widths != before;
    }

    const ChoiceSpace& space_;
    std::vector<WidthEdges> widths_;
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
