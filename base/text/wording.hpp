// Text for people: numbers as one reads them, suggestions for mistyped names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hacscale {

// For terminals and commands, in ASCII, with this many significant digits at least: "130", "0.0042", never
// "1.3e+02"; all digits before the point, no zeros after a fraction. Reports round: report::significant().
std::string plain_number(double value, int digits = 3);

// "462.6 us", "12.31 ms".
std::string latency_text(double latency_us);

namespace detail {

// Insertions, deletions and replacements of single characters and swaps of neighbours that turn `a` into `b`,
// each place edited once (optimal string alignment).
int edit_distance(std::string_view a, std::string_view b);

// The candidates close enough to `name` to be what was meant, nearest first, at most three. Case does not
// count.
std::vector<std::string> near_misses(std::string_view name, const std::vector<std::string>& candidates);

// "; did you mean 'a' or 'b'?", or nothing when no candidate is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace detail

}  // namespace hacscale
