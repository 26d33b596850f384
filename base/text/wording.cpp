#include "base/text/wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace hacscale {
namespace {

// A longer name than any candidate has is no typing mistake, and comparing it would be slow.
constexpr std::size_t longest_name = 100;

// In lower case and without the signs between its parts: "mobilenet_v2" is "MobileNetV2".
std::string compared(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c == '_' || c == '-' || c == ' ') continue;
        plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return plain;
}

}  // namespace

std::string plain_number(double value, int digits) {
    if (value == 0.0 || !std::isfinite(value)) {
        return fmt::format("{}", value);
    }
    const int places = digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value))));
    std::string text = fmt::format("{:.{}f}", value, std::max(0, places));
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        text.erase(text.find_last_not_of('.') + 1);
    }
    return text;
}

std::string latency_text(double latency_us) {
    return latency_us < 1000.0 ? fmt::format("{:.1f} us", latency_us)
                               : fmt::format("{:.2f} ms", latency_us * 1e-3);
}

namespace detail {

int edit_distance(std::string_view a, std::string_view b) {
    // Rows of the table of distances between prefixes: of the prefix of `a` two, one and zero characters
    // back.
    std::vector<int> before_last(b.size() + 1);
    std::vector<int> last(b.size() + 1);
    std::vector<int> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        before_last.swap(last);
        last.swap(row);
        row[0] = static_cast<int>(i) + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            row[j + 1] = std::min({last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1});
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) {
                row[j + 1] = std::min(row[j + 1], before_last[j - 1] + 1);
            }
        }
    }
    return row[b.size()];
}

std::vector<std::string> near_misses(std::string_view name, const std::vector<std::string>& candidates) {
    std::vector<std::string> nearest;
    if (name.empty() || name.size() > longest_name) return nearest;
    const std::string wanted = compared(name);
    const int limit = std::max(1, static_cast<int>(name.size()) / 3);
    std::vector<std::pair<int, const std::string*>> ranked;
    for (const std::string& candidate : candidates) {
        const std::string known = compared(candidate);
        const int distance = edit_distance(wanted, known);
        // A name that was cut short ("mobilenetv2") is near all that it begins.
        if (distance <= limit || (wanted.size() >= 3 && known.starts_with(wanted))) {
            ranked.emplace_back(distance, &candidate);
        }
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    for (const auto& [distance, candidate] : ranked) {
        if (nearest.size() == 3) break;
        nearest.push_back(*candidate);
    }
    return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
    const std::vector<std::string> nearest = near_misses(name, candidates);
    std::string text;
    for (std::size_t i = 0; i < nearest.size(); ++i) {
        if (i > 0) text += i + 1 == nearest.size() ? " or " : ", ";
        text += "'" + nearest[i] + "'";
    }
    return text.empty() ? text : "; did you mean " + text + "?";
}

}  // namespace detail

}  // namespace hacscale
