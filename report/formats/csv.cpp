#include <fmt/format.h>

#include <ostream>

#include "base/error.hpp"
#include "base/replace_file.hpp"
#include "report/formats/formats.hpp"
#include "report/text/escape.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

struct CsvFile {
    std::string name;
    std::string header;
    std::string content;
};

// One line of what `field_at` gives for each column that the file has.
template <typename FieldAt>
std::string line_of(const Table& table, FieldAt&& field_at) {
    std::string line;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (table.columns[i].show == Show::page_only) continue;
        line += field_at(i);
        line += ',';
    }
    if (!line.empty()) line.back() = '\n';
    return line;
}

std::string field_of(const Cell& cell) {
    if (const double* number = std::get_if<double>(&cell.value)) return plain(*number);
    if (const std::string* text = std::get_if<std::string>(&cell.value)) return csv_text(*text);
    return {};
}

void collect(const Section& section, std::vector<CsvFile>& files) {
    for (const Part& part : section.parts) {
        const Table* table = table_of(part);
        if (table == nullptr || table->csv_file.empty()) continue;
        const std::string header =
            line_of(*table, [&](std::size_t i) { return csv_text(table->columns[i].csv_name); });
        auto file = files.begin();
        while (file != files.end() && file->name != table->csv_file) ++file;
        if (file == files.end()) file = files.insert(files.end(), {table->csv_file, header, {}});
        if (file->header != header) {
            throw WorkError(
                fmt::format("two tables write {} with different columns; this is a fault of the program",
                            table->csv_file));
        }
        for (const TableRow& row : table->rows) {
            file->content += line_of(*table, [&](std::size_t i) { return field_of(row.cells[i]); });
        }
    }
    for (const Section& inner : section.sections) collect(inner, files);
}

}  // namespace

std::vector<std::filesystem::path> write_csv(const Document& document, const std::filesystem::path& folder) {
    std::vector<CsvFile> files;
    for (const Section& section : document.sections) collect(section, files);
    std::vector<std::filesystem::path> paths;
    for (const CsvFile& file : files) {
        paths.push_back(folder / file.name);
        replace_file(paths.back(), [&file](std::ostream& out) { out << file.header << file.content; });
    }
    return paths;
}

}  // namespace hacscale::report
