// Cells from values: the text for people and the value for machines at once.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "report/document/document.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

// Two texts, either of which may be empty, with a space between.
std::string joined(const std::string& first, const std::string& second);

Cell text_cell(std::string text);
// Text for people that differs from the one for machines.
Cell text_cell(std::string text, std::string value);
Cell number_cell(const std::optional<double>& value, const std::function<std::string(double)>& format);
Cell integer_cell(const std::optional<int>& value);

}  // namespace hacscale::report
