#include "kernels/onnxruntime/cuda/launch_owners.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace hacscale::onnxruntime {
namespace {

// The profiler cuts both a start and a duration off to whole microseconds: an operation ends up to two later than it says, and
// half of one of these is in the duration already.
constexpr double cut_off_us = 1.5;
// The greatest share of launches that may be lost.
constexpr double most_lost = 0.1;
// Of the shifts by which most launches fall within operations, so many are looked at closely.
constexpr std::size_t closest_looks = 256;

struct Interval {
    double start_us = 0.0;
    double end_us = 0.0;
    std::size_t operation = 0;
};

// In the order of time.
std::vector<Interval> intervals_of(std::span<const OperationEvent> operations) {
    std::vector<Interval> intervals;
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const OperationEvent& event = operations[i];
        if (event.us > 0.0) intervals.push_back({event.start_us, event.start_us + event.us + cut_off_us, i});
    }
    std::sort(intervals.begin(), intervals.end(),
              [](const Interval& left, const Interval& right) { return left.start_us < right.start_us; });
    return intervals;
}

// The last interval to begin before the call, if it ends after it.
const Interval* interval_of(const std::vector<Interval>& intervals, const cupti::TimedLaunch& launch,
                            double shift_us) {
    const auto after =
        std::upper_bound(intervals.begin(), intervals.end(), launch.call_start_us + shift_us,
                         [](double time, const Interval& interval) { return time < interval.start_us; });
    if (after == intervals.begin()) return nullptr;
    const Interval& last = *std::prev(after);
    return launch.call_end_us + shift_us <= last.end_us ? &last : nullptr;
}

// A range of shifts by which the same number of launches fall within operations.
struct Shifts {
    double from_us = 0.0;
    double to_us = 0.0;
};

// Those of most launches, the widest first.
std::vector<Shifts> best_shifts(const std::vector<Interval>& intervals,
                                std::span<const cupti::TimedLaunch> launches) {
    // Where a launch comes into an interval, and where it leaves it.
    std::vector<std::pair<double, int>> changes;
    for (const cupti::TimedLaunch& launch : launches) {
        for (const Interval& interval : intervals) {
            const double first_us = interval.start_us - launch.call_start_us;
            const double last_us = interval.end_us - launch.call_end_us;
            if (first_us >= last_us) continue;
            changes.emplace_back(first_us, 1);
            changes.emplace_back(last_us, -1);
        }
    }
    std::sort(changes.begin(), changes.end());
    std::vector<Shifts> ranges;
    int within = 0;
    int most = 1;
    for (std::size_t i = 0; i + 1 < changes.size(); ++i) {
        within += changes[i].second;
        if (within < most || changes[i + 1].first == changes[i].first) continue;
        if (within > most) ranges.clear();
        most = within;
        ranges.push_back({changes[i].first, changes[i + 1].first});
    }
    std::sort(ranges.begin(), ranges.end(), [](const Shifts& left, const Shifts& right) {
        return left.to_us - left.from_us > right.to_us - right.from_us;
    });
    if (ranges.size() > closest_looks) ranges.resize(closest_looks);
    return ranges;
}

}  // namespace

std::vector<double> kernel_us(std::span<const OperationEvent> operations,
                              std::span<const cupti::TimedLaunch> launches) {
    std::vector<double> times_us(operations.size(), 0.0);
    if (launches.empty()) return times_us;
    const std::vector<Interval> intervals = intervals_of(operations);
    std::size_t best_score = 0;
    std::size_t best_found = 0;
    for (const Shifts& shifts : best_shifts(intervals, launches)) {
        const double shift_us = 0.5 * (shifts.from_us + shifts.to_us);
        std::vector<double> of_shift(operations.size(), 0.0);
        std::size_t found = 0;
        for (const cupti::TimedLaunch& launch : launches) {
            const Interval* const interval = interval_of(intervals, launch, shift_us);
            if (interval == nullptr) continue;
            of_shift[interval->operation] += launch.kernel_us;
            ++found;
        }
        const auto with_kernels = static_cast<std::size_t>(
            std::count_if(of_shift.begin(), of_shift.end(), [](double us) { return us > 0.0; }));
        if (found + with_kernels <= best_score) continue;
        best_score = found + with_kernels;
        best_found = found;
        times_us = std::move(of_shift);
    }
    const std::size_t lost = launches.size() - best_found;
    if (static_cast<double>(lost) > most_lost * static_cast<double>(launches.size())) {
        throw WorkError(std::to_string(lost) + " of " + std::to_string(launches.size()) +
                        " kernels that CUPTI saw belong to no operation of ONNX Runtime's profile");
    }
    return times_us;
}

}  // namespace hacscale::onnxruntime
