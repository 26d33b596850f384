#include "scaling/strategies/families.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace hacscale::rules {
namespace {

// One number of a configuration: it takes the values that are multiples of a step, each once the exact value
// is within half a step of it.
class Dimension {
public:
    Dimension(int base, int step, double exponent, Direction direction)
        : base_(base), value_(base), step_(step), exponent_(exponent), up_(direction == Direction::up) {}

    int value() const { return value_; }
    // |ln s| at which the next value is reached; infinite for a dimension that is not scaled, or at its least.
    double next_distance() const {
        if (exponent_ == 0.0 || next_value() < step_) return std::numeric_limits<double>::infinity();
        const double turn = next_value() + (up_ ? -0.5 : 0.5) * step_;
        return (up_ ? 1.0 : -1.0) * std::log(turn / base_) / exponent_;
    }
    void advance() { value_ = next_value(); }

private:
    int next_value() const {
        return up_ ? (value_ / step_ + 1) * step_ : (value_ + step_ - 1) / step_ * step_ - step_;
    }

    int base_;
    int value_;
    int step_;
    double exponent_;
    bool up_;
};

class MultiplierPath {
public:
    MultiplierPath(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents,
                   Direction direction)
        : widths_(start.widths.size()),
          furthest_(direction == Direction::up ? std::log(largest_factor) : -std::log(smallest_factor)) {
        const ChoiceSpace& space = context.space();
        for (std::size_t i = 0; i < widths_; ++i) {
            const WidthDimension& width = space.widths[i];
            dimensions_.emplace_back(start.widths[i], width.step, width.given ? 0.0 : exponents.width,
                                     direction);
        }
        for (const int depth : start.depths) dimensions_.emplace_back(depth, 1, exponents.depth, direction);
        dimensions_.emplace_back(start.resolution, space.resolution_step,
                                 space.resolution_step > 0 ? exponents.resolution : 0.0, direction);
    }

    std::optional<ScalingChoice> next() {
        if (!started_) {
            started_ = true;
            return choice();
        }
        double nearest = std::numeric_limits<double>::infinity();
        for (const Dimension& dimension : dimensions_) {
            nearest = std::min(nearest, dimension.next_distance());
        }
        if (!(nearest <= furthest_)) return std::nullopt;
        // Dimensions of equal ratio reach their next value together: the same quotient gives the same double.
        for (Dimension& dimension : dimensions_) {
            if (dimension.next_distance() == nearest) dimension.advance();
        }
        return choice();
    }

private:
    ScalingChoice choice() const {
        ScalingChoice result;
        for (std::size_t i = 0; i + 1 < dimensions_.size(); ++i) {
            (i < widths_ ? result.widths : result.depths).push_back(dimensions_[i].value());
        }
        result.resolution = dimensions_.back().value();
        return result;
    }

    std::size_t widths_;
    double furthest_;                    // |ln s|
    std::vector<Dimension> dimensions_;  // widths, depths, resolution
    bool started_ = false;
};

Strategy strategy(std::string_view name, std::string_view description, std::string_view rule,
                  const Exponents& exponents) {
    return {name, description, rule, [exponents](const ScalingContext& context, std::int64_t budget_ps) {
                const auto path_to = [&](Direction direction) {
                    return multiplier_path(context, context.base_choice(), exponents, direction);
                };
                return along(context, path_to, budget_ps);
            }};
}

// EfficientNet's coefficients (Tan and Le 2019, section 4) stand for phi; their MACs grow by 1.2 x 1.1^2
// x 1.15^2 a unit.
Exponents compound() {
    const double depth = std::log(1.2);
    const double width = std::log(1.1);
    const double resolution = std::log(1.15);
    const double macs = depth + 2.0 * width + 2.0 * resolution;
    return {width / macs, depth / macs, resolution / macs};
}

}  // namespace

Path multiplier_path(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents,
                     Direction direction) {
    auto path = std::make_shared<MultiplierPath>(context, start, exponents, direction);
    return [path] { return path->next(); };
}

std::vector<Strategy> multiplier_strategies() {
    return {
        strategy("width-only", "all widths alike", "w = s^1/2", {0.5, 0.0, 0.0}),
        strategy("depth-only", "all depths alike", "d = s", {0.0, 1.0, 0.0}),
        strategy("resolution-only", "the size of input images", "r = s^1/2", {0.0, 0.0, 0.5}),
        strategy("depth-width", "all depths and widths alike", "d = s^1/2, w = s^1/4", {0.25, 0.5, 0.0}),
        strategy("uniform", "depth, width and resolution take a third of the MACs each",
                 "d = s^1/3, w = r = s^1/6", {1.0 / 6.0, 1.0 / 3.0, 1.0 / 6.0}),
        strategy("compound", "EfficientNet's compound scaling", "d = 1.2^phi, w = 1.1^phi, r = 1.15^phi",
                 compound()),
        strategy("fast", "fast scaling, mostly by width (Dollar 2021)", "d = s^0.1, w = s^0.4, r = s^0.05",
                 {0.4, 0.1, 0.05}),
    };
}

}  // namespace hacscale::rules
