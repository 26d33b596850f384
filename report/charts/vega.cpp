#include "report/charts/vega.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"
#include "base/text/numbers.hpp"

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
        return finite_number(fmt::format("{:.{}g}", number, drawn_digits)).value_or(number);
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
    constexpr double max_px = 320.0;
    std::size_t letters = 0;
    for (const std::string& text : texts) letters = std::max(letters, text.size());
    return std::clamp(14.0 + letter_px * static_cast<double>(letters), least, max_px);
}

std::string tip(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string kind_of(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    if (&row == &comparison.base) return "base";
    if (!row.ok()) return "excluded";
    return row.strategy == "hacscale" ? "hacscale" : "baseline";
}

std::string label_of(const records::ComparisonRecord& comparison, const DistinctNetwork& network) {
    const std::size_t others = network.rows.size() - 1;
    if (others == 0 || network.rows.front() == &comparison.base) return network.row().strategy;
    return fmt::format("{} + {}", network.row().strategy, others);
}

std::string all_names(const records::ComparisonRecord& comparison, const DistinctNetwork& network) {
    const std::string others = other_names(network);
    if (others.empty()) return network.row().strategy;
    const bool base = network.rows.front() == &comparison.base;
    return network.row().strategy + (base ? ", kept by " : ", ") + others;
}

std::vector<LegendEntry> legend_of_kinds(const records::ComparisonRecord& comparison) {
    static constexpr std::array<std::array<const char*, 3>, 4> kinds{
        {{"base", "square base", "base"},
         {"hacscale", "dot hacscale", "HACScale"},
         {"baseline", "dot baseline", "other strategies"},
         {"excluded", "cross excluded", "not a candidate"}}};
    const std::vector<DistinctNetwork> networks = distinct_networks(comparison);
    std::vector<LegendEntry> legend;
    for (const auto& [kind, swatch, text] : kinds) {
        const bool any =
            std::any_of(networks.begin(), networks.end(), [&, kind = kind](const DistinctNetwork& network) {
                return kind_of(comparison, network.row()) == kind;
            });
        if (any) legend.push_back({swatch, text});
    }
    if (const std::size_t kept = networks.front().rows.size() - 1; kept > 0) {
        legend.front().text =
            fmt::format("keeps the base: {} {}", kept, kept == 1 ? "strategy" : "strategies");
    }
    return legend;
}

}  // namespace hacscale::report
