#include "report/sections/phrases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/document/cells.hpp"

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

std::string status_text(const std::string& status) {
    std::string text = status;
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
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

std::string changes_of(const Comparison& comparison, const StrategyRow& row) {
    std::string text;
    const auto add = [&text](const std::string& change) { text += (text.empty() ? "" : "; ") + change; };
    const StrategyRow& base = comparison.base;
    const std::size_t stages = std::min(base.widths.size(), row.widths.size());
    for (std::size_t i = 0; i < stages; ++i) {
        const std::string name =
            i < comparison.stages.size() ? comparison.stages[i] : fmt::format("stage {}", i + 1);
        const bool wider = row.widths[i] != base.widths[i];
        const bool depths_known = i < base.depths.size() && i < row.depths.size();
        const bool deeper = depths_known && row.depths[i] != base.depths[i];
        std::vector<std::string> changes;
        if (wider) changes.push_back(fmt::format("{} → {} channels", base.widths[i], row.widths[i]));
        if (deeper) changes.push_back(fmt::format("{} → {} blocks", base.depths[i], row.depths[i]));
        if (i < row.inner_widths.size() && !row.inner_widths[i].empty()) {
            changes.emplace_back("inner widths of its own");
        }
        if (!changes.empty()) add(fmt::format("{}: {}", name, fmt::join(changes, ", ")));
    }
    if (base.resolution && row.resolution && *base.resolution != *row.resolution) {
        add(fmt::format("resolution: {} → {} pixels", *base.resolution, *row.resolution));
    }
    return text;
}

std::string doubt_about_peak(const std::vector<Comparison>& comparisons) {
    const StrategyRow* highest = nullptr;
    const std::string* model = nullptr;
    for (const Comparison& comparison : comparisons) {
        const auto look_at = [&](const StrategyRow& row) {
            if (row.utilization.value_or(0.0) <= 1.0) return;
            if (highest != nullptr && *row.utilization <= *highest->utilization) return;
            highest = &row;
            model = &comparison.model;
        };
        look_at(comparison.base);
        for (const StrategyRow& row : comparison.strategies) look_at(row);
    }
    if (highest == nullptr) return {};
    return fmt::format(
        "Utilizations of up to {} ({} of {}) are more than the peak allows: the peak was measured at a bad "
        "moment, while the machine was slow or busy. Utilizations relative to the base hold; the shares of "
        "the "
        "peak are too high by one factor. Measure into a new table on a quiet machine.",
        percent_whole(*highest->utilization), highest->strategy, *model);
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
Cell model_cell(const Comparison& comparison) {
    return text_cell(comparison.model);
}
Cell budget_cell(const Comparison& comparison) {
    return number_cell(comparison.budget, ratio);
}

}  // namespace hacscale::report
