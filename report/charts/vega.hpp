// What the chart builders share: templates as JSON text with the data put in, and wording of tooltips.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "report/document/document.hpp"
#include "report/networks.hpp"

namespace hacscale::report {

using Json = nlohmann::json;

// Fills the dataset `name` of a specification; it must be declared there.
void set_data(Json& spec, std::string_view name, Json values);
// Sets the value of a top-level signal; it must be declared there.
void set_signal(Json& spec, std::string_view name, Json value);
// The specification as UTF-8 text, numbers to as many digits as can be drawn. Bytes that are not UTF-8 become
// U+FFFD.
std::string text_of(const Json& spec);
// Pixels that the longest of the texts takes beside an axis, in bold, and not less than `least`.
double room_for(const std::vector<std::string>& texts, double least);
// Lines of a tooltip.
std::string tip(const std::vector<std::string>& lines);

// How a strategy is drawn: "base", "hacscale", "baseline" or "excluded".
std::string kind_of(const records::ComparisonRecord& comparison, const records::StrategyRow& row);
// What a network is called in charts: by one strategy, and how many more chose it ("greedy + 2").
std::string label_of(const records::ComparisonRecord& comparison, const DistinctNetwork& network);
// The first line of a network's tooltip: all who chose it.
std::string all_names(const records::ComparisonRecord& comparison, const DistinctNetwork& network);
// The legend's entries of these kinds, without those of which there is no network.
std::vector<LegendEntry> legend_of_kinds(const records::ComparisonRecord& comparison);

}  // namespace hacscale::report
