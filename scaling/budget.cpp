#include "scaling/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/text/numbers.hpp"

namespace hacscale {
namespace {

std::optional<double> unsigned_number(std::string_view text) {
    return text.starts_with('+') ? std::nullopt : finite_number(text);
}

struct Suffix {
    std::string_view text;
    Budget::Unit unit;
    double factor;
};
constexpr Suffix suffixes[] = {{"us", Budget::Unit::microseconds, 1.0},
                               {"ms", Budget::Unit::microseconds, 1e3},
                               {"/s", Budget::Unit::images_per_s, 1.0}};

}  // namespace

void check_budget(double ratio) {
    if (!(ratio >= min_budget && ratio <= max_budget)) {
        throw InputError(fmt::format("the latency budget is {}, expected {} to {} base latencies", ratio,
                                     min_budget, max_budget));
    }
}

std::string Budget::text() const {
    switch (unit) {
        case Unit::microseconds:
            return value >= 1e3 ? fmt::format("{}ms", value / 1e3) : fmt::format("{}us", value);
        case Unit::images_per_s:
            return fmt::format("{}/s", value);
        case Unit::ratio:
            break;
    }
    return fmt::format("{}", value);
}

std::string Budget::file_text() const {
    return unit == Unit::images_per_s ? fmt::format("{}-per-s", value) : text();
}

double Budget::ratio(double base_us, int batch) const {
    double result = value;
    if (!is_ratio()) {
        if (!(base_us > 0.0)) {
            throw InputError(fmt::format(
                "the latency budget is {}, but the base's latency is not known; profile the base, or give "
                "the budget in base latencies",
                text()));
        }
        const double budget_us = unit == Unit::microseconds ? value : 1e6 * batch / value;
        result = budget_us / base_us;
        if (!(result >= min_budget && result <= max_budget)) {
            throw InputError(fmt::format(
                "the latency budget is {}, {:.3g} of the base's latency ({:.1f} us), expected {} to {}",
                text(), result, base_us, min_budget, max_budget));
        }
    }
    check_budget(result);
    return result;
}

Budget parse_budget(const std::string& text) {
    for (const Suffix& suffix : suffixes) {
        if (!text.ends_with(suffix.text)) continue;
        const auto value =
            unsigned_number(std::string_view(text).substr(0, text.size() - suffix.text.size()));
        if (value && *value > 0.0) return {suffix.unit, *value * suffix.factor};
    }
    const std::optional<double> ratio = unsigned_number(text);
    if (!ratio) {
        throw InputError(
            fmt::format("the latency budget is '{}', expected {} to {} base latencies, or a latency such as "
                        "8ms or 800us, "
                        "or images a second such as 120/s",
                        text, min_budget, max_budget));
    }
    check_budget(*ratio);
    return *ratio;
}

RatioRange ratio_range(double budget) {
    const double largest =
        budget < 1.0 ? std::max(1.0, 4.0 * budget - 2.0) : std::sqrt(2.0 * std::max(2.0, budget));
    return {0.5 * std::pow(std::min(1.0, budget), 0.6), largest};
}

}  // namespace hacscale
