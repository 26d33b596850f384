// Numbers for reading: three significant figures, thousands separators, a no-break space before the unit, a
// real minus sign. What has no value is an en dash. Files for spreadsheets use plain() instead, which loses
// nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hacscale::report {

inline constexpr const char* absent = "–";

std::string significant(double value, int figures = 3);  // 1234.5 -> "1,230"; 0.01234 -> "0.0123"
std::string whole(double value);                         // 1234567 -> "1,234,567"
std::string scaled(double value,
                   const std::string& unit = "");  // 1.234e6 -> "1.23 M"; with unit "1.23 MFLOP/s"
std::string latency(double microseconds);          // "812 µs", "4.32 ms", "1.20 s"
// With the half-width of its interval in the same unit: "4.32 ± 0.03 ms". Without an interval as latency().
std::string latency(double microseconds, std::optional<double> ci95_us);
std::string ratio(double value);              // "×1.92"
std::string percent(double fraction);         // 0.3124 -> "31.2 %"
std::string percent_whole(double fraction);   // 0.3124 -> "31 %"
std::string short_percent(double fraction);   // 0.065 -> "6.5 %": for settings, not for measurements
std::string signed_percent(double fraction);  // 0.0065 -> "+0.65 %"
// With the half-width of its interval: "+0.65 % ± 0.08 %". Without an interval, or with one of nothing, as
// above.
std::string percent_change(double fraction, std::optional<double> half_width);
std::string points(double fraction);  // 0.0194 -> "1.94", 0.00017 -> "0.017": differences of shares
// With "+" or a real minus in front of what `format` makes of its absolute value; "±" before what reads
// as zero.
std::string with_sign(double value, const std::function<std::string(double)>& format);
std::string join(const std::vector<int>& values, const std::string& separator);
std::string plain(double value);  // shortest text that reads back as the same number

}  // namespace hacscale::report
