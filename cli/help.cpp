#include "cli/help.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "base/text/lines.hpp"

namespace hacscale::cli {

// Defined in the file that cli/embed_text.cmake writes.
extern const std::string_view help_document;

namespace {

// Where the descriptions of options begin, in what the parser's library writes.
constexpr std::size_t description_column = 30;
constexpr std::size_t example_indent = 4;

std::string without_backquotes(std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
    return text;
}

void trim_blank_lines(std::string& text) {
    const auto first = text.find_first_not_of('\n');
    text.erase(0, first == std::string::npos ? text.size() : first);
    text.erase(text.find_last_not_of('\n') + 1);
}

// The first paragraph, on one line, is the summary.
void split_summary(HelpSection& section) {
    trim_blank_lines(section.text);
    const auto end = std::min(section.text.find("\n\n"), section.text.size());
    section.summary = section.text.substr(0, end);
    std::replace(section.summary.begin(), section.summary.end(), '\n', ' ');
    section.text.erase(0, end);
    trim_blank_lines(section.text);
}

void add_lines(std::string& text, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        text += line + "\n";
    }
}

// A line of a help text, of which the library makes one of any length.
std::vector<std::string> narrowed(const std::string& line) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    if (width_of(line) <= answer_columns || begin == example_indent) {
        return {line};
    }
    if (begin == 0) {
        return wrapped(line);
    }
    const std::size_t description = line.find_first_not_of(' ', description_column);
    if (description == std::string::npos || line[description_column - 1] != ' ') {
        return {line};  // a name that is longer than the column for names
    }
    std::vector<std::string> lines =
        wrapped(std::string(description_column, ' ') + line.substr(description), description_column);
    lines.front().replace(0, description_column, line, 0, description_column);
    return lines;
}

class NarrowFormatter final : public CLI::Formatter {
public:
    NarrowFormatter() { column_width(description_column); }

    std::string make_help(const CLI::App* parser, std::string name, CLI::AppFormatMode mode) const override {
        std::istringstream lines(CLI::Formatter::make_help(parser, std::move(name), mode));
        std::string text;
        for (std::string line; std::getline(lines, line);) {
            add_lines(text, narrowed(line));
        }
        return text;
    }
};

}  // namespace

std::vector<HelpSection> parse_help(std::string_view markdown) {
    std::vector<HelpSection> sections;
    std::istringstream lines{std::string(markdown)};
    // What stands before the first heading belongs to none.
    const auto add = [&sections](const std::vector<std::string>& text) {
        if (!sections.empty()) {
            add_lines(sections.back().text, text);
        }
    };
    std::string paragraph;
    const auto end_paragraph = [&] {
        if (!paragraph.empty()) {
            add(wrapped(without_backquotes(paragraph)));
        }
        paragraph.clear();
    };
    bool in_code = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) {
            end_paragraph();
            in_code = !in_code;
        } else if (in_code) {
            add({std::string(example_indent, ' ') + line});
        } else if (line.starts_with("#")) {
            end_paragraph();
            sections.push_back({line.substr(std::min(line.find_first_not_of("# "), line.size())), "", ""});
        } else if (line.empty()) {
            end_paragraph();
            add({""});
        } else {
            paragraph += (paragraph.empty() ? "" : " ") + line;
        }
    }
    end_paragraph();
    std::for_each(sections.begin(), sections.end(), split_summary);
    return sections;
}

std::optional<HelpSection> help_section(std::string_view title) {
    static const std::vector<HelpSection> sections = parse_help(help_document);
    const auto found = std::find_if(sections.begin(), sections.end(),
                                    [&](const HelpSection& section) { return section.title == title; });
    if (found == sections.end()) {
        return std::nullopt;
    }
    return *found;
}

std::shared_ptr<CLI::FormatterBase> narrow_formatter() {
    return std::make_shared<NarrowFormatter>();
}

}  // namespace hacscale::cli
