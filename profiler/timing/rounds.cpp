#include "profiler/timing/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace hacscale {

std::string_view name_of(RowMethod method) {
    switch (method) {
        case RowMethod::stopwatch:
            return "stopwatch";
        case RowMethod::prefix:
            return "prefix";
        case RowMethod::profiler:
            return "profiler";
    }
    return "";
}

RowMethod row_method_from_name(std::string_view name) {
    for (const RowMethod method : {RowMethod::stopwatch, RowMethod::prefix}) {
        if (name == name_of(method)) return method;
    }
    throw InputError(fmt::format(
        "'{}' is no way to time layers inside their network; there are stopwatch and prefix", name));
}

TimingRules within(TimingRules rules, double seconds, std::size_t participants) {
    const double share = std::max(0.0, seconds) / static_cast<double>(std::max<std::size_t>(1, participants));
    if (share >= rules.max_seconds * rules.patience) {
        return rules;
    }
    rules.patience =
        rules.max_seconds > 0.0 ? std::clamp(share / rules.max_seconds, 1.0, rules.patience) : 1.0;
    rules.max_seconds = std::min(rules.max_seconds, share);
    return rules;
}

}  // namespace hacscale
