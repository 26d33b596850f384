// Wording that several sections share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/document/document.hpp"
#include "report/records/records.hpp"

namespace hacscale::report {

// "at the base's latency" or "with 6.5 % more latency".
std::string at_budget(double budget);
// "over_budget" -> "over budget"
std::string status_text(const std::string& status);
// "24, 40 × 2" for 24, 40, 40.
std::string inner_text(const std::vector<int>& inner_widths);
// "stage1: 16 → 24 channels; stage3: 3 → 5 blocks, inner widths of its own; resolution: 32 → 36 pixels";
// empty when nothing differs.
std::string changes_of(const Comparison& comparison, const StrategyRow& row);
// Empty where either is not known.
std::optional<double> over(const std::optional<double>& value, const std::optional<double>& base);
// Of at least one; the mean of the middle two where their number is even.
double median(std::vector<double> values);
// Why the shares of the peak are wrong where some exceed it; empty where none does.
std::string doubt_about_peak(const std::vector<Comparison>& comparisons);
// A section left out, with the command that makes its records.
Section absent_section(const std::string& heading, const std::string& record, const std::string& command);

// The two columns that tell rows of one CSV file apart, and their cells.
Column model_column();
Column budget_column();
Cell model_cell(const Comparison& comparison);
Cell budget_cell(const Comparison& comparison);

}  // namespace hacscale::report
