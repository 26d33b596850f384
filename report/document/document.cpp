#include "report/document/document.hpp"

#include <utility>

#include "report/text/numbers.hpp"

namespace hacscale::report {

const Table* table_of(const Part& part) {
    if (const Table* table = std::get_if<Table>(&part)) return table;
    const NetworkPicker* picker = std::get_if<NetworkPicker>(&part);
    return picker == nullptr ? nullptr : &picker->table;
}

std::string joined(const std::string& first, const std::string& second) {
    return first.empty() || second.empty() ? first + second : first + " " + second;
}

Cell text_cell(std::string text) {
    std::string shown = text.empty() ? std::string(absent) : text;
    return text_cell(std::move(shown), std::move(text));
}

Cell text_cell(std::string text, std::string value) {
    return {std::move(text), std::move(value), false};
}

Cell number_cell(const std::optional<double>& value, const std::function<std::string(double)>& format) {
    if (!value) return {std::string(absent), std::monostate{}, false};
    return {format(*value), *value, false};
}

Cell integer_cell(const std::optional<int>& value) {
    if (!value) return {std::string(absent), std::monostate{}, false};
    return {whole(*value), static_cast<double>(*value), false};
}

}  // namespace hacscale::report
