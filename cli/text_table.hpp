// Text on a terminal: lines, and tables with aligned columns.
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

void print_lines(std::ostream& out, const std::vector<std::string>& lines);

}  // namespace hacscale::cli
