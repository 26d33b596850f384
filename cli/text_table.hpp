// A table of text with aligned columns, for answers on a terminal.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace hacscale::cli {

enum class Align { left, right };

struct TextColumn {
    std::string title;
    Align align = Align::right;
};

class TextTable {
public:
    explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells);  // one cell a column
    void print(std::ostream& out) const;

private:
    std::vector<TextColumn> columns_;
    std::vector<std::vector<std::string>> rows_;
};

std::string with_separators(std::int64_t number);  // 1234567 -> "1,234,567"

}  // namespace hacscale::cli
