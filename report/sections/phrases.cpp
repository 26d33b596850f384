#include "report/sections/phrases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "report/document/document.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

std::optional<double> over(const std::optional<double>& value, const std::optional<double>& base) {
    return value && base ? std::optional(*value / *base) : std::nullopt;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

std::string at_budget(double budget) {
    if (budget == 1.0) return "at the base’s latency";
    if (budget > 1.0) return fmt::format("with {} more latency", short_percent(budget - 1.0));
    return fmt::format("at {} of the base’s latency", short_percent(budget));
}

std::string status_text(std::string_view status) {
    std::string text(status);
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

Cell status_cell(records::StrategyStatus status) {
    return text_cell(status_text(name_of(status)), std::string(name_of(status)));
}

namespace {

Cell list_cell(const std::vector<int>& values) {
    return text_cell(join(values, " / "), join(values, " "));
}

}  // namespace

Cell depths_cell(const std::optional<ScalingChoice>& choice) {
    return list_cell(choice ? choice->depths : std::vector<int>());
}

Cell widths_cell(const std::optional<ScalingChoice>& choice) {
    return list_cell(choice ? choice->widths : std::vector<int>());
}

Cell resolution_cell(const std::optional<ScalingChoice>& choice) {
    return integer_cell(choice ? std::optional(choice->resolution) : std::nullopt);
}

std::string inner_text(const std::vector<int>& inner_widths) {
    std::string text;
    for (auto at = inner_widths.begin(); at != inner_widths.end();) {
        const auto end = std::find_if(at, inner_widths.end(), [&](int width) { return width != *at; });
        text += fmt::format("{}{}", text.empty() ? "" : ", ", *at);
        if (end - at > 1) text += fmt::format(" × {}", end - at);
        at = end;
    }
    return text;
}

namespace {

// A network without stages has many widths; the section on strategies lists them all.
constexpr std::size_t changes_in_words = 4;

template <typename Add>
void add_greatest(const Add& add, const std::vector<std::string>& names, const std::vector<int>& from,
                  const std::vector<int>& to, const char* what) {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < std::min({names.size(), from.size(), to.size()}); ++i) {
        if (from[i] != to[i]) changed.push_back(i);
    }
    const auto size = [&](std::size_t i) {
        return std::abs(std::log(static_cast<double>(std::max(to[i], 1)) / std::max(from[i], 1)));
    };
    std::stable_sort(changed.begin(), changed.end(),
                     [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
    for (std::size_t k = 0; k < std::min(changed.size(), changes_in_words); ++k) {
        const std::size_t i = changed[k];
        add(fmt::format("{}: {} → {} {}", names[i], from[i], to[i], what));
    }
    if (changed.size() > changes_in_words) {
        add(fmt::format("and {} more of {} {}", changed.size() - changes_in_words, names.size(),
                        what == std::string_view("channels") ? "groups of channels" : "repeats"));
    }
}

}  // namespace

std::string changes_of(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    std::string text;
    const auto add = [&text](const std::string& change) { text += (text.empty() ? "" : "; ") + change; };
    if (!comparison.base.choice || !row.choice) return text;
    const ScalingChoice& base = *comparison.base.choice;
    const ScalingChoice& choice = *row.choice;
    add_greatest(add, comparison.width_names, base.widths, choice.widths, "channels");
    add_greatest(add, comparison.depth_names, base.depths, choice.depths, "blocks");
    const bool by_stage = comparison.width_names.empty() && comparison.depth_names.empty();
    const std::size_t stages = by_stage ? std::min(base.widths.size(), choice.widths.size()) : 0;
    for (std::size_t i = 0; i < stages; ++i) {
        std::vector<std::string> changes;
        if (choice.widths[i] != base.widths[i]) {
            changes.push_back(fmt::format("{} → {} channels", base.widths[i], choice.widths[i]));
        }
        const bool depths_known = i < base.depths.size() && i < choice.depths.size();
        if (depths_known && choice.depths[i] != base.depths[i]) {
            changes.push_back(fmt::format("{} → {} blocks", base.depths[i], choice.depths[i]));
        }
        if (i < choice.inner_widths.size() && !choice.inner_widths[i].empty()) {
            changes.emplace_back("inner widths of its own");
        }
        if (!changes.empty()) add(fmt::format("{}: {}", comparison.stage_name(i), fmt::join(changes, ", ")));
    }
    if (base.resolution != choice.resolution) {
        add(fmt::format("resolution: {} → {} pixels", base.resolution, choice.resolution));
    }
    return text;
}

std::string doubt_about_peak(const std::vector<records::ComparisonRecord>& comparisons) {
    const records::StrategyRow* highest = nullptr;
    const std::string* model = nullptr;
    for (const records::ComparisonRecord& comparison : comparisons) {
        const auto look_at = [&](const records::StrategyRow& row) {
            if (row.utilization.value_or(0.0) <= 1.0) return;
            if (highest != nullptr && *row.utilization <= *highest->utilization) return;
            highest = &row;
            model = &comparison.model;
        };
        look_at(comparison.base);
        for (const records::StrategyRow& row : comparison.strategies) look_at(row);
    }
    if (highest == nullptr) return {};
    return fmt::format(
        "Utilizations of up to {} ({} of {}) are more than the peak allows: the peak was measured at a bad "
        "moment, while the machine was slow or busy. Utilizations relative to the base hold; the shares of "
        "the "
        "peak are too high by one factor. Measure into a new table on a quiet machine.",
        percent_whole(*highest->utilization), highest->strategy, *model);
}

namespace {

// The number after "_" and a letter: 64 for 'o' in "..._o64_...".
std::optional<int> number_after(std::string_view key, char letter) {
    const char mark[] = {'_', letter};
    for (std::size_t at = key.find(std::string_view(mark, 2)); at != std::string_view::npos;
         at = key.find(std::string_view(mark, 2), at + 1)) {
        int number = 0;
        const char* digits = key.data() + at + 2;
        const auto [end, error] = std::from_chars(digits, key.data() + key.size(), number);
        if (error == std::errc() && end != digits) return number;
    }
    return std::nullopt;
}

}  // namespace

std::string layer_kind(std::string_view key) {
    std::size_t at = key.find("_i");
    while (at != std::string_view::npos && (at + 2 >= key.size() || key[at + 2] < '0' || key[at + 2] > '9')) {
        at = key.find("_i", at + 1);
    }
    std::string kind(key.substr(0, at));
    std::replace(kind.begin(), kind.end(), '_', ' ');
    const std::optional<int> groups = number_after(key, 'g');
    if (kind != "conv" || groups.value_or(1) == 1) return kind;
    return groups == number_after(key, 'i') ? "depthwise conv" : "grouped conv";
}

std::optional<int> layer_width(std::string_view key) {
    const std::optional<int> out = number_after(key, 'o');
    return out ? out : number_after(key, 'i');
}

Section graph_section(const std::string& heading, const std::string& record) {
    Section section;
    section.heading = heading;
    section.parts.push_back(Paragraph{
        fmt::format(
            "This network was scaled as a graph, whose comparisons have no {}. How the latency changes with "
            "each width alone:",
            record),
        "hacscale advise NETWORK --table TABLE --details"});
    return section;
}

Section absent_section(const std::string& heading, const std::string& record, const std::string& command) {
    Section section;
    section.heading = heading;
    section.parts.push_back(
        Paragraph{fmt::format("Left out: this run has no {}. The command that makes it:", record), command});
    return section;
}

Column model_column() {
    return {"Model", "model", false, Show::csv_only};
}
Column budget_column() {
    return {"Budget", "budget", true, Show::csv_only};
}
Cell model_cell(const records::ComparisonRecord& comparison) {
    return text_cell(comparison.model);
}
Cell budget_cell(const records::ComparisonRecord& comparison) {
    return number_cell(comparison.budget, ratio);
}

}  // namespace hacscale::report
