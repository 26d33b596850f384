#include "profiler/row_changes.hpp"

#include <cmath>

#include "profiler/timing/row_method.hpp"

namespace hacscale {

bool same_method(const std::string& one, const std::string& other) {
    return (one == name_of(RowMethod::prefix)) == (other == name_of(RowMethod::prefix));
}

Row united(const Row& before, const Row& now) {
    if (!same_method(before.timed_by, now.timed_by)) return now;
    if (before.outpaced(now.pace_us)) return now;
    if (now.outpaced(before.pace_us)) return before;
    if (before.status == RowStatus::noisy && now.status == RowStatus::ok) return now;
    Row row = before.status == RowStatus::ok ? before : now;
    const auto samples = static_cast<double>(before.samples + now.samples);
    const double old_share = static_cast<double>(before.samples) / samples;
    row.latency_us = old_share * before.latency_us + (1.0 - old_share) * now.latency_us;
    row.ci95_us = std::hypot(old_share * before.ci95_us, (1.0 - old_share) * now.ci95_us);
    row.samples = before.samples + now.samples;
    row.measured_at = now.measured_at;
    row.pace_us = now.pace_us ? now.pace_us : before.pace_us;
    if (before.pace_us && now.pace_us) {
        row.pace_us = old_share * *before.pace_us + (1.0 - old_share) * *now.pace_us;
    }
    if (now.overhead_us) row.overhead_us = now.overhead_us;
    if (now.readings != Readings{}) row.readings = now.readings;
    return row;
}

void fail(Row& row, const std::string& reason) {
    row.status = RowStatus::failed;
    row.reason = reason;
    row.latency_us = row.ci95_us = 0.0;
    row.samples = 0;
    row.timed_by.clear();
    row.overhead_us.reset();
    row.readings = {};
}

void no_runner(Row& row, const Compiled& compiled) {
    fail(row, compiled.reason);
    if (compiled.why == NoRunner::unsupported) row.status = RowStatus::unsupported;
}

}  // namespace hacscale
