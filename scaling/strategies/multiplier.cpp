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
    Dimension(int base, int step, double exponent)
        : base_(base), value_(base), step_(step), exponent_(exponent) {}

    int value() const { return value_; }
    // ln s at which the next value is reached; infinite for a dimension that is not scaled.
    double next_ln_factor() const {
        if (exponent_ == 0.0) return std::numeric_limits<double>::infinity();
        return std::log((next_value() - 0.5 * step_) / base_) / exponent_;
    }
    void advance() { value_ = next_value(); }

private:
    int next_value() const { return (value_ / step_ + 1) * step_; }

    int base_;
    int value_;
    int step_;
    double exponent_;
};

class MultiplierPath {
public:
    MultiplierPath(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents)
        : widths_(start.widths.size()) {
        const ChoiceSpace& space = context.space();
        for (std::size_t i = 0; i < widths_; ++i) {
            const WidthDimension& width = space.widths[i];
            dimensions_.emplace_back(start.widths[i], width.step, width.given ? 0.0 : exponents.width);
        }
        for (const int depth : start.depths) dimensions_.emplace_back(depth, 1, exponents.depth);
        dimensions_.emplace_back(start.resolution, space.resolution_step, exponents.resolution);
    }

    std::optional<ScalingChoice> next() {
        if (!started_) {
            started_ = true;
            return choice();
        }
        double nearest = std::numeric_limits<double>::infinity();
        for (const Dimension& dimension : dimensions_) {
            nearest = std::min(nearest, dimension.next_ln_factor());
        }
        if (!(nearest <= std::log(largest_factor))) return std::nullopt;
        // Dimensions of equal ratio reach their next value together: the same quotient gives the same double.
        for (Dimension& dimension : dimensions_) {
            if (dimension.next_ln_factor() == nearest) dimension.advance();
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
    std::vector<Dimension> dimensions_;  // widths, depths, resolution
    bool started_ = false;
};

Strategy strategy(std::string_view name, std::string_view description, std::string_view rule,
                  const Exponents& exponents) {
    return {name, description, rule, [exponents](const ScalingContext& context, std::int64_t budget_ps) {
                return last_within(context, multiplier_path(context, context.base_choice(), exponents),
                                   budget_ps);
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

Path multiplier_path(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents) {
    auto path = std::make_shared<MultiplierPath>(context, start, exponents);
    return [path] { return path->next(); };
}

std::vector<Strategy> multiplier_strategies() {
    return {
        strategy("width-only", "wider stages", "w = s^1/2", {0.5, 0.0, 0.0}),
        strategy("depth-only", "deeper stages", "d = s", {0.0, 1.0, 0.0}),
        strategy("resolution-only", "larger input images", "r = s^1/2", {0.0, 0.0, 0.5}),
        strategy("depth-width", "deeper and wider stages", "d = s^1/2, w = s^1/4", {0.25, 0.5, 0.0}),
        strategy("uniform", "depth, width and resolution take a third of the MACs each",
                 "d = s^1/3, w = r = s^1/6", {1.0 / 6.0, 1.0 / 3.0, 1.0 / 6.0}),
        strategy("compound", "EfficientNet's compound scaling", "d = 1.2^phi, w = 1.1^phi, r = 1.15^phi",
                 compound()),
        strategy("fast", "fast scaling, mostly by width (Dollar 2021)", "d = s^0.1, w = s^0.4, r = s^0.05",
                 {0.4, 0.1, 0.05}),
    };
}

}  // namespace hacscale::rules
