#include "report/text/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text/lines.hpp"

namespace hacscale::report {

namespace {

constexpr const char* gap = "\u00a0";  // no-break space
constexpr const char* minus = "\u2212";

// Decimals that leave `figures` significant figures of `value`; never negative.
int decimals_for(double value, int figures) {
    if (value == 0.0 || !std::isfinite(value)) return 0;
    const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
    return std::clamp(figures - 1 - exponent, 0, 12);
}

std::string with_separators(const std::string& digits) {
    const std::size_t point = std::min(digits.find('.'), digits.size());
    std::string text;
    for (std::size_t i = 0; i < point; ++i) {
        if (i > 0 && (point - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text + digits.substr(point);
}

// `value` is not negative.
std::string fixed(double value, int decimals) {
    return with_separators(fmt::format("{:.{}f}", value, decimals));
}

struct Unit {
    double size;
    const char* name;
};

Unit latency_unit(double microseconds) {
    if (microseconds >= 999.5e3) return {1e6, "s"};
    if (microseconds >= 999.5) return {1e3, "ms"};
    return {1.0, "µs"};
}

}  // namespace

std::string significant(double value, int figures) {
    double magnitude = std::abs(value);
    if (magnitude > 0.0) {
        // Rounded first, so that 999.6 counts as a number of four digits.
        const double step = std::pow(10.0, std::floor(std::log10(magnitude)) - (figures - 1));
        if (std::isfinite(magnitude / step)) magnitude = std::round(magnitude / step) * step;
    }
    const std::string text = fixed(magnitude, decimals_for(magnitude * (1.0 + 1e-12), figures));
    return value < 0.0 ? fmt::format("{}{}", minus, text) : text;
}

std::string whole(double value) {
    const std::string text = fixed(std::abs(value), 0);
    return value < 0.0 && text != "0" ? fmt::format("{}{}", minus, text) : text;
}

std::string scaled(double value, const std::string& unit) {
    static constexpr std::array<Unit, 5> prefixes{
        {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1.0, ""}}};
    for (const Unit& prefix : prefixes) {
        if (std::abs(value) < prefix.size * 0.9995 && prefix.size > 1.0) continue;
        const std::string suffix = prefix.name + unit;
        const std::string number = significant(value / prefix.size);
        return suffix.empty() ? number : fmt::format("{}{}{}", number, gap, suffix);
    }
    return significant(value);
}

std::string latency(double microseconds) {
    const Unit unit = latency_unit(microseconds);
    return fmt::format("{}{}{}", significant(microseconds / unit.size), gap, unit.name);
}

std::string latency(double microseconds, std::optional<double> ci95_us) {
    if (!ci95_us || !(*ci95_us >= 0.0)) return latency(microseconds);
    const Unit unit = latency_unit(microseconds);
    const double value = microseconds / unit.size;
    const double half_width = *ci95_us / unit.size;
    const int decimals = decimals_for(value, 3);
    return fmt::format("{0}{1}±{1}{2}{1}{3}", fixed(value, decimals), gap,
                       fixed(half_width, std::max(decimals, decimals_for(half_width, 1))), unit.name);
}

std::string ratio(double value) {
    return fmt::format("×{}", fixed(value, std::clamp(decimals_for(value, 3), 2, 3)));
}

std::string percent(double fraction) {
    return fmt::format("{}{}%", significant(fraction * 100.0), gap);
}

std::string percent_whole(double fraction) {
    return fmt::format("{}{}%", whole(fraction * 100.0), gap);
}

std::string short_percent(double fraction) {
    std::string digits = fixed(std::abs(fraction) * 100.0, decimals_for(fraction * 100.0, 4));
    if (digits.find('.') != std::string::npos) {
        digits.erase(digits.find_last_not_of('0') + 1);
        if (digits.back() == '.') digits.pop_back();
    }
    return fmt::format("{}{}{}%", fraction < 0.0 && digits != "0" ? minus : "", digits, gap);
}

namespace {

int decimals_of_percent(double value) {
    return std::abs(value) < 10.0 ? (std::abs(value) < 1.0 ? 2 : 1) : 0;
}

}  // namespace

std::string signed_percent(double fraction) {
    const double value = fraction * 100.0;
    const std::string text = fixed(std::abs(value), decimals_of_percent(value));
    const bool zero = text.find_first_not_of("0.") == std::string::npos;
    return fmt::format("{}{}{}%", zero ? "±" : value < 0.0 ? minus : "+", text, gap);
}

std::string percent_change(double fraction, std::optional<double> half_width) {
    std::string change = signed_percent(fraction);
    if (!half_width || !(*half_width > 0.0)) return change;
    const double value = *half_width * 100.0;
    const int decimals = std::max(decimals_of_percent(fraction * 100.0), decimals_for(value, 1));
    return fmt::format("{0}{1}±{1}{2}{1}%", change, gap, fixed(value, decimals));
}

std::string points(double fraction) {
    const double value = fraction * 100.0;
    return fixed(value, std::abs(value) < 1.0 ? 3 : 2);
}

std::string with_sign(double value, const std::function<std::string(double)>& format) {
    const std::string text = format(std::abs(value));
    const bool zero = text.find_first_of("123456789") == std::string::npos;
    return fmt::format("{}{}", zero ? "±" : value < 0.0 ? minus : "+", text);
}

std::string join(const std::vector<int>& values, const std::string& separator) {
    return fmt::format("{}", fmt::join(values, separator));
}

std::string plain(double value) {
    return fmt::format("{}", value);
}

}  // namespace hacscale::report
