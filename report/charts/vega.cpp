#include "report/charts/vega.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"

namespace hacscale::report {

namespace {

Json& named(Json& list, std::string_view name) {
    for (Json& entry : list) {
        if (entry.at("name") == name) return entry;
    }
    throw WorkError(
        fmt::format("a chart's specification declares no {}; this is a fault of the program", name));
}

// A chart has some thousand pixels, so more digits than these only make the page larger; the CSV files have
// them all.
constexpr int drawn_digits = 6;

Json rounded(const Json& value) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        return std::stod(fmt::format("{:.{}g}", number, drawn_digits));
    }
    if (!value.is_structured()) return value;
    Json result = value;
    for (Json& part : result) part = rounded(part);
    return result;
}

}  // namespace

void set_data(Json& spec, std::string_view name, Json values) {
    named(spec.at("data"), name)["values"] = std::move(values);
}

void set_signal(Json& spec, std::string_view name, Json value) {
    named(spec.at("signals"), name)["value"] = std::move(value);
}

std::string text_of(const Json& spec) {
    return rounded(spec).dump(-1, ' ', false, Json::error_handler_t::replace);
}

double room_for(const std::vector<std::string>& texts, double least) {
    constexpr double letter_px = 7.2;  // of 12 pixels' height, bold, in the mean
    constexpr double most_px = 320.0;
    std::size_t letters = 0;
    for (const std::string& text : texts) letters = std::max(letters, text.size());
    return std::clamp(14.0 + letter_px * static_cast<double>(letters), least, most_px);
}

std::string tip(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string kind_of(const Comparison& comparison, const StrategyRow& row) {
    if (&row == &comparison.base) return "base";
    if (!row.ok()) return "excluded";
    return row.strategy == "hacscale" ? "hacscale" : "baseline";
}

std::vector<LegendEntry> legend_of_kinds(const Comparison& comparison) {
    static constexpr std::array<std::array<const char*, 3>, 4> kinds{
        {{"base", "square base", "base"},
         {"hacscale", "dot hacscale", "HACScale"},
         {"baseline", "dot baseline", "other strategies"},
         {"excluded", "cross excluded", "not a candidate"}}};
    std::vector<LegendEntry> legend;
    for (const auto& [kind, swatch, text] : kinds) {
        const bool any = std::any_of(
            comparison.strategies.begin(), comparison.strategies.end(),
            [&, kind = kind](const StrategyRow& row) { return kind_of(comparison, row) == kind; });
        if (any || kind == std::string_view("base")) legend.push_back({swatch, text});
    }
    return legend;
}

}  // namespace hacscale::report
