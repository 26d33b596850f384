#include "base/tabular/tabular.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "base/text/numbers.hpp"
#include "base/text/read_file.hpp"

namespace hacscale {

const TabularValue* TabularRow::find(std::string_view column) const {
    const auto found = columns_->index.find(std::string(column));
    if (found == columns_->index.end() || found->second >= values_.size()) return nullptr;
    const TabularValue& value = values_[found->second];
    return value.text.empty() ? nullptr : &value;
}

const TabularValue& TabularRow::required(std::string_view column) const {
    const TabularValue* const value = find(column);
    if (value == nullptr) throw InputError(fmt::format("{}: has no {}", place_, column));
    return *value;
}

std::string TabularRow::text_or(std::string_view column, std::string_view otherwise) const {
    const TabularValue* const value = find(column);
    return value == nullptr ? std::string(otherwise) : value->text;
}

double TabularRow::number(std::string_view column) const {
    const TabularValue& value = required(column);
    const auto number = value.is_text ? std::nullopt : finite_number(value.text);
    if (!number) fail(column, "a finite number");
    return *number;
}

std::int64_t TabularRow::integer(std::string_view column, std::int64_t least, std::int64_t most) const {
    const TabularValue& value = required(column);
    std::int64_t number = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [rest, error] = std::from_chars(value.text.data(), end, number);
    if (value.is_text || error != std::errc{} || rest != end || number < least || number > most) {
        fail(column, fmt::format("a whole number from {} to {}", least, most));
    }
    return number;
}

std::int64_t TabularRow::integer_or(std::string_view column, std::int64_t least, std::int64_t most,
                                    std::int64_t otherwise) const {
    return has(column) ? integer(column, least, most) : otherwise;
}

bool TabularRow::flag_or(std::string_view column, bool otherwise) const {
    const TabularValue* const value = find(column);
    if (value == nullptr) return otherwise;
    if (value->text == "true" || value->text == "1") return true;
    if (value->text == "false" || value->text == "0") return false;
    fail(column, "true or false");
}

void TabularRow::fail(std::string_view column, std::string_view expected) const {
    const TabularValue& value = required(column);
    std::string place = place_;
    if (columns_->format == TabularFormat::csv) {
        place += fmt::format(": column {} ({})", columns_->index.at(std::string(column)) + 1, column);
    } else if (value.common) {
        place = fmt::format("{}: {}", columns_->origin, column);
    } else {
        place += fmt::format(".{}", column);
    }
    const std::string shown = fmt::format("{:.40}", value.text);
    throw InputError(fmt::format("{}: found {}'{}{}', expected {}", place, value.is_text ? "the text " : "",
                                 shown, shown.size() < value.text.size() ? "..." : "", expected));
}

std::optional<TabularFormat> tabular_format_of(const std::filesystem::path& file) {
    if (file.extension() == ".csv") return TabularFormat::csv;
    if (file.extension() == ".json") return TabularFormat::json;
    return std::nullopt;
}

TabularFile read_tabular(const std::filesystem::path& file, TabularFormat format, std::string_view rows_key,
                         const std::vector<std::string>& known) {
    constexpr std::uintmax_t max_bytes = std::uintmax_t{256} << 20;
    const std::string text = read_file(file, max_bytes);
    return format == TabularFormat::csv ? parse_csv(text, file.string(), known)
                                        : parse_json_rows(text, file.string(), rows_key, known);
}

}  // namespace hacscale
