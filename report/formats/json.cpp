#include <nlohmann/json.hpp>
#include <ostream>

#include "report/formats/formats.hpp"

namespace hacscale::report {

namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson value_of(const Cell& cell) {
    if (const double* number = std::get_if<double>(&cell.value)) return *number;
    if (const std::string* text = std::get_if<std::string>(&cell.value)) return *text;
    return nullptr;
}

void collect(const Section& section, OrderedJson& tables) {
    for (const Part& part : section.parts) {
        const Table* table = table_of(part);
        if (table == nullptr || table->csv_file.empty()) continue;
        const std::string name = table->csv_file.substr(0, table->csv_file.rfind('.'));
        OrderedJson& rows = tables[name];
        if (rows.is_null()) rows = OrderedJson::array();
        for (const TableRow& row : table->rows) {
            OrderedJson object = OrderedJson::object();
            for (std::size_t i = 0; i < row.cells.size(); ++i) {
                if (table->columns[i].show == Show::page_only) continue;
                object[table->columns[i].csv_name] = value_of(row.cells[i]);
            }
            rows.push_back(std::move(object));
        }
    }
    for (const Section& inner : section.sections) collect(inner, tables);
}

}  // namespace

void write_json(const Document& document, std::ostream& out) {
    OrderedJson answers = OrderedJson::array();
    for (const Answer& answer : document.answers) {
        answers.push_back({{"title", answer.title},
                           {"sentence", answer.sentence},
                           {"standing", answer.standing},
                           {"trust", answer.trust}});
    }
    OrderedJson warnings = OrderedJson::array();
    for (const Notice& warning : document.warnings) warnings.push_back(warning.text);
    OrderedJson tables = OrderedJson::object();
    for (const Section& section : document.sections) collect(section, tables);
    const OrderedJson json{{"title", document.title},         {"subtitle", document.subtitle},
                           {"answers", std::move(answers)},   {"trust", document.trust},
                           {"warnings", std::move(warnings)}, {"tables", std::move(tables)}};
    out << json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << "\n";
}

}  // namespace hacscale::report
