// Wording that several sections share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "records/run_folder.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

// "at the base's latency" or "with 6.5 % more latency".
std::string at_budget(double budget);
// "over_budget" -> "over budget"
std::string status_text(std::string_view status);
Cell status_cell(records::StrategyStatus status);
// "24, 40 × 2" for 24, 40, 40.
std::string inner_text(const std::vector<int>& inner_widths);
// "stage1: 16 → 24 channels; stage3: 3 → 5 blocks, inner widths of its own; resolution: 32 → 36 pixels";
// empty when nothing differs.
std::string changes_of(const records::ComparisonRecord& comparison, const records::StrategyRow& row);
// Of a network that was chosen, or no text where none was.
Cell depths_cell(const std::optional<ScalingChoice>& choice);
Cell widths_cell(const std::optional<ScalingChoice>& choice);
Cell resolution_cell(const std::optional<ScalingChoice>& choice);
// Empty where either is not known.
std::optional<double> over(const std::optional<double>& value, const std::optional<double>& base);
// Of at least one; the mean of the middle two where their number is even.
double median(std::vector<double> values);
// Why the shares of the peak are wrong where some exceed it; empty where none does.
std::string doubt_about_peak(const std::vector<records::ComparisonRecord>& comparisons);
// What a layer's canonical key says, for reading: "conv_i32x56x56_o64_k1_s1_p0_g1_bias_relu6".
// "conv", "depthwise conv", "linear", ...; the whole key where it has no such form.
std::string layer_kind(std::string_view key);
// Its output channels: those it names, else its input's.
std::optional<int> layer_width(std::string_view key);
// A comparison of a network that was scaled as a graph has none of `record`.
Section graph_section(const std::string& heading, const std::string& record);
// A section left out, with the command that makes its records.
Section absent_section(const std::string& heading, const std::string& record, const std::string& command);

// The two columns that tell rows of one CSV file apart, and their cells.
Column model_column();
Column budget_column();
Cell model_cell(const records::ComparisonRecord& comparison);
Cell budget_cell(const records::ComparisonRecord& comparison);

}  // namespace hacscale::report
