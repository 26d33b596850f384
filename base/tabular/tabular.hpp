// Rows of named values from a CSV or JSON file that other programs wrote, read strictly: every error is an InputError that
// names the file and the place, and what was expected.
//
// CSV is RFC 4180, UTF-8, with a heading line: fields are separated by commas, a field with a comma, a quote or a line
// break is quoted. Lines may end with LF alone; empty lines are passed over. JSON is an array of objects, or an object with
// such an array under the key that is asked for: its other values then hold for every row that does not have them itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hacscale {

enum class TabularFormat : std::uint8_t { csv, json };

// One value of a row. In CSV all values are texts, and may be numbers; in JSON a text is none.
struct TabularValue {
    std::string text;      // empty where the row has none
    bool is_text = false;  // JSON: "12" rather than 12
    bool common = false;   // JSON: it stands beside the rows
};

// Which columns a file has, by name: shared by its rows.
struct TabularColumns {
    std::string origin;
    TabularFormat format = TabularFormat::csv;
    std::vector<std::string> names;
    std::unordered_map<std::string, std::size_t> index;
};

class TabularRow {
public:
    // `place` of the row as a whole: "rows.csv:3", "rows.json: rows[2]". One value a column; those at the end may lack.
    TabularRow(std::shared_ptr<const TabularColumns> columns, std::string place,
               std::vector<TabularValue> values)
        : columns_(std::move(columns)), place_(std::move(place)), values_(std::move(values)) {}

    const std::string& place() const { return place_; }

    // Whether the row has a value: no empty field of CSV, not null in JSON.
    bool has(std::string_view column) const { return find(column) != nullptr; }
    // InputError for a row without it.
    const std::string& text(std::string_view column) const { return required(column).text; }
    std::string text_or(std::string_view column, std::string_view otherwise) const;
    double number(std::string_view column) const;  // finite
    std::int64_t integer(std::string_view column, std::int64_t least, std::int64_t most) const;
    std::int64_t integer_or(std::string_view column, std::int64_t least, std::int64_t most,
                            std::int64_t otherwise) const;
    bool flag_or(std::string_view column, bool otherwise) const;  // true, false, 1 or 0

    // "rows.csv:3: column 5 (latency_us): found 'x', expected `expected`". The row has the column.
    [[noreturn]] void fail(std::string_view column, std::string_view expected) const;

private:
    const TabularValue* find(std::string_view column) const;
    const TabularValue& required(std::string_view column) const;

    std::shared_ptr<const TabularColumns> columns_;
    std::string place_;
    std::vector<TabularValue> values_;
};

struct TabularFile {
    std::vector<std::string>
        columns;  // in the order of the file; of JSON, in the order in which rows have them
    std::vector<TabularRow> rows;
};

// By the file's suffix, .csv or .json; nothing for others.
std::optional<TabularFormat> tabular_format_of(const std::filesystem::path& file);

// `rows_key`: under which an object of JSON has its rows. At most 256 MiB. A column that is not `known` is an InputError
// with the names that are near it.
TabularFile read_tabular(const std::filesystem::path& file, TabularFormat format, std::string_view rows_key,
                         const std::vector<std::string>& known);
// The same of a file's text; messages call it `origin`.
TabularFile parse_csv(std::string_view text, const std::string& origin,
                      const std::vector<std::string>& known);
TabularFile parse_json_rows(const std::string& text, const std::string& origin, std::string_view rows_key,
                            const std::vector<std::string>& known);

}  // namespace hacscale
