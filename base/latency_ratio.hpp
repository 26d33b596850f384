// Two latencies of one thing: two tables compared row by row, two devices side by side.
#pragma once

namespace hacscale {

// The ratio b/a has a 95 % interval, by propagation of both intervals on its logarithm: half-width of
// ln(b/a) = sqrt((ci95_a/a)^2 + (ci95_b/b)^2). So the interval of a/b is the reciprocal one.
struct LatencyRatio {
    double a_us = 0.0;
    double b_us = 0.0;
    double ratio = 1.0;  // b/a: above 1 where b is slower
    double ratio_low = 1.0;
    double ratio_high = 1.0;
    bool significant = false;  // 1 lies outside the interval
};

// Latencies above 0 with the half-widths of their intervals.
LatencyRatio latency_ratio(double a_us, double ci95_a_us, double b_us, double ci95_b_us);

}  // namespace hacscale
