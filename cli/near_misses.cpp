#include "cli/near_misses.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hacscale::cli {

namespace {

// Levenshtein's distance by its recurrence, one row at a time.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
        }
    }
    return row.back();
}

}  // namespace

std::vector<std::string> near_misses(std::string_view word, const std::vector<std::string>& known) {
    word = word.substr(0, 256);  // the recurrence is quadratic, and no known word is that long
    const std::size_t farthest = std::max<std::size_t>(2, word.size() / 3);
    std::vector<std::pair<std::size_t, std::string>> close;
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance <= farthest) {
            close.emplace_back(distance, candidate);
        }
    }
    std::sort(close.begin(), close.end());
    close.resize(std::min<std::size_t>(close.size(), 3));
    std::vector<std::string> words;
    for (auto& [distance, candidate] : close) {
        words.push_back(std::move(candidate));
    }
    return words;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string> close = near_misses(word, known);
    std::string text;
    for (std::size_t i = 0; i < close.size(); ++i) {
        text += (i == 0 ? "; did you mean " : i + 1 < close.size() ? ", " : " or ") + close[i];
    }
    return text.empty() ? text : text + "?";
}

}  // namespace hacscale::cli
