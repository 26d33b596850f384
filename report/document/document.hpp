// The report with no format yet: sections of parts. Sections (sections/) build it from the records, formats
// (formats/) write it down, so that a number is formatted in one place and is the same in HTML, Markdown and
// CSV. All texts are plain; each format escapes them.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hacscale::report {

// The text people read, and the same for machines: a number in full precision or a plain text; empty when
// absent.
struct Cell {
    std::string text;
    std::variant<std::monostate, double, std::string> value;
    bool best = false;  // the best of its column
};

enum class Show { everywhere, page_only, csv_only };  // page: HTML and Markdown

struct Column {
    std::string heading;   // on the page
    std::string csv_name;  // with its unit: "measured_us"
    bool number = true;    // aligned right on the page
    Show show = Show::everywhere;
};

enum class RowMark {
    none,
    base,
    own_choice,
    excluded,  // kept and shown, but not among the candidates
    unchanged  // the same in both networks that a row compares
};

// The names of further rows that the page shows as one with this row.
struct FoldedNames {
    std::string label;  // "kept by 13 strategies": the page opens the names on request; empty: shows them
    std::string names;  // "greedy, morph"; empty: none
};

struct TableRow {
    std::vector<Cell> cells;  // one a column
    RowMark mark = RowMark::none;
    FoldedNames folded = {};
};

struct Table {
    std::string caption;
    std::string
        csv_file;  // "strategies.csv"; tables of one file have the same columns; empty: on the page only
    std::vector<Column> columns;
    std::vector<TableRow> rows;
    std::vector<std::size_t> page_rows;  // indices of the rows the page shows; empty: all
    bool folded = false;                 // the page shows it on request
};

struct LegendEntry {
    std::string swatch;  // a class of page.css: "base", "hacscale", "baseline", ...
    std::string text;
};

enum class ChartSize {
    full,
    half,
    panel
};  // smaller ones of a size that follow each other share rows where there is room

struct Chart {
    std::string title;
    std::string summary;  // what it shows, in words: the caption, and the description for screen readers
    std::string spec;     // Vega specification, JSON
    std::vector<LegendEntry> legend;
    ChartSize size = ChartSize::full;
};

// Two networks side by side, which the page's readers choose; the table is of the pair that comes first.
// `data` is JSON: {"names":[],"stages":{NAME:STAGE},"figures":[[width, latency_us, text, KEY]],
// "networks":[{"name","label","layers":[[NAME, FIGURE]]}],"first","second"}, where NAME and FIGURE are places
// in the lists, and layers of one KEY are the same.
struct NetworkPicker {
    std::string data;
    Table table;
};

struct Paragraph {
    std::string text;
    std::string command = {};  // to type; follows the text, set as code
};
// Something a reader must know before trusting the numbers.
struct Notice {
    std::string text;
};
struct Code {
    std::string title;
    std::string language;
    std::string text;
};
struct Fact {
    std::string name;
    std::string text;
};
struct Facts {
    std::vector<Fact> entries;
};
using Part = std::variant<Paragraph, Notice, Table, Chart, Code, Facts, NetworkPicker>;

// The table of a part, which CSV and JSON hold; null where it has none.
const Table* table_of(const Part& part);

struct Section {
    std::string id;  // unique on the page; [a-z0-9-]
    std::string heading;
    std::vector<Part> parts;
    std::vector<Section> sections;
};

// What to do about one model at one budget, in a few lines.
struct Answer {
    std::string title = {};     // "resnet20-cifar, with 6.5 % more latency"; empty for all of them
    std::string sentence;       // what to do
    std::string standing = {};  // what it brings, and who comes second
    std::string trust = {};     // how far the prediction held
};

struct Document {
    std::string title;
    std::string subtitle;
    std::vector<Answer> answers;  // one a model and budget; before them, where these are many, one for all
    std::string trust;            // how far the table can be trusted
    std::vector<Notice> warnings;
    std::vector<Section> sections;
};

// Cells from values: the text for people and the value for machines at once.
// Two texts, either of which may be empty, with a space between.
std::string joined(const std::string& first, const std::string& second);

Cell text_cell(std::string text);
// Text for people that differs from the one for machines.
Cell text_cell(std::string text, std::string value);
Cell number_cell(const std::optional<double>& value, const std::function<std::string(double)>& format);
Cell integer_cell(const std::optional<int>& value);

}  // namespace hacscale::report
