#include "scaling/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

void check(const ScalingSettings& settings) {
    if (!(settings.max_budget >= 1.0 && settings.max_budget <= 100.0)) {
        throw InputError(
            fmt::format("the largest budget is {}, expected 1 to 100 base latencies", settings.max_budget));
    }
    const auto check_cap = [](const std::optional<std::int64_t>& cap, const char* what) {
        if (cap && *cap < 1) {
            throw InputError(fmt::format("the cap on {} is {}, expected at least 1", what, *cap));
        }
    };
    check_cap(settings.caps.params, "params");
    check_cap(settings.caps.macs, "MACs");
    check_cap(settings.caps.memory_bytes, "memory");
}

bool has(const std::vector<int>& values, int value) {
    return std::binary_search(values.begin(), values.end(), value);
}

}  // namespace

ScalingChoice ChoiceSpace::with_width(ScalingChoice choice, std::size_t width, int value) const {
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (widths[i].leader == width) choice.widths[i] = value;
    }
    return choice;
}

bool ChoiceSpace::contains(const ScalingChoice& choice) const {
    if (choice.widths.size() != widths.size() || choice.depths.size() != depths.size()) return false;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (!has(widths[i].values, choice.widths[i])) return false;
    }
    for (std::size_t i = 0; i < depths.size(); ++i) {
        if (!has(depths[i].values, choice.depths[i])) return false;
    }
    return has(resolutions, choice.resolution);
}

ScalingContext::ScalingContext(const ScalingSettings& settings) : settings_(settings) {
    check(settings_);
}

void ScalingContext::set_base(Evaluation base) {
    if (!base.complete()) {
        throw InputError(
            fmt::format("the table lacks {} of the layers of {}, {} among them; profile it first",
                        base.missing_layers, name(), base.first_missing));
    }
    base_evaluation_ = std::move(base);
}

double ScalingContext::budget_us(double ratio) const {
    if (!(ratio >= 1.0)) {
        throw InputError(fmt::format("the latency budget is {}, expected at least 1 base latency", ratio));
    }
    if (ratio > settings_.max_budget) {
        throw InputError(fmt::format("the latency budget is {}, above the largest planned for, {}", ratio,
                                     settings_.max_budget));
    }
    return ratio * base_evaluation_.latency_us();
}

}  // namespace hacscale
