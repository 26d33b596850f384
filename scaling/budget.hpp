// Latency budgets: what they may be, and how they are written.
#pragma once

#include <string>

namespace hacscale {

// In base latencies, the same wherever a budget is taken. Below 1 networks shrink.
constexpr double min_budget = 0.1;
constexpr double max_budget = 16.0;
// How far above the budget predictions are planned for: a table may predict a network slower than it is.
constexpr double planning_reserve = 1.25;

// Throws InputError for a ratio outside of the limits, naming what it was.
void check_budget(double ratio);

// A budget as it was given: "0.7" of the base's latency, "8ms" or "800us" for one pass, or "120/s", images a
// second at the batch in question.
struct Budget {
    enum class Unit { ratio, microseconds, images_per_s };
    Unit unit = Unit::ratio;
    double value = 1.0;

    Budget() = default;
    // Not explicit: a number is a ratio everywhere.
    Budget(double ratio) : value(ratio) {}  // NOLINT(google-explicit-constructor)
    Budget(Unit of, double amount) : unit(of), value(amount) {}

    bool is_ratio() const { return unit == Unit::ratio; }
    // As parse_budget() takes it.
    std::string text() const;
    // For names of files: text() with "-per-s" for "/s".
    std::string file_text() const;
    // In base latencies. Throws InputError when that is outside of the limits, or the base's latency is needed
    // and not above 0.
    double ratio(double base_us, int batch) const;
    bool operator==(const Budget&) const = default;
};

// Throws InputError for any other text, and for ratios outside of the limits.
Budget parse_budget(const std::string& text);

// Which ratios of its widths and depths a search looks at, where none are given. A network that is to be
// faster by b may have to become narrower than b, because latency falls in steps and has a part that does not
// fall at all, and its stages share the cut unevenly: down to 0.5 b^0.6, which is 1/2 at the base's latency and
// 1/8 at a tenth of it. It may become wider elsewhere by less and less, up to 4 b - 2, and from three quarters of the latency down
// not at all: a gain that counts params would make up for narrow layers by a wide head, which costs little time. Above twice the latency the upper
// end grows, by sqrt(2 b): widths count twice in MACs, so that widths and depths together never bound the budget.
struct RatioRange {
    double least = 0.5;
    double largest = 2.0;
};
RatioRange ratio_range(double budget);

}  // namespace hacscale
