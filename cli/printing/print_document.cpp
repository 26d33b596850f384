#include "cli/printing/printing.hpp"

#include <algorithm>

namespace hacscale::cli {

namespace {

void print(std::ostream& out, const report::Table& table) {
    std::vector<TextColumn> columns;
    for (const report::Column& column : table.columns) {
        columns.push_back({column.heading, column.number ? Align::right : Align::left});
    }
    TextTable text(std::move(columns));
    for (const report::TableRow& row : table.rows) {
        std::vector<std::string> cells;
        for (const report::Cell& cell : row.cells) {
            cells.push_back(cell.text);
        }
        text.add(std::move(cells));
    }
    out << table.caption << "\n\n";
    text.print(out);
    out << '\n';
}

void print(std::ostream& out, const report::Section& section) {
    const bool on_request =
        std::all_of(section.parts.begin(), section.parts.end(), [](const report::Part& part) {
            const auto* table = std::get_if<report::Table>(&part);
            return table != nullptr && table->folded;
        });
    if (on_request) {
        return;
    }
    out << section.heading << "\n\n";
    for (const report::Part& part : section.parts) {
        if (const auto* paragraph = std::get_if<report::Paragraph>(&part)) {
            out << paragraph->text << "\n\n";
        } else if (const auto* table = std::get_if<report::Table>(&part); table && !table->folded) {
            print(out, *table);
        }
    }
}

}  // namespace

void print_document(std::ostream& out, const report::Document& document) {
    out << document.title << '\n' << document.subtitle << "\n\n";
    for (const report::Section& section : document.sections) {
        print(out, section);
    }
}

}  // namespace hacscale::cli
