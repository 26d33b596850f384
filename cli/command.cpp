#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string>

namespace hacscale::cli {

CLI::App& add_parser(CLI::App& parent, std::string_view path) {
    const std::string name(path.substr(path.rfind(' ') + 1));
    CLI::App& parser = *parent.add_subcommand(name);
    if (const auto section = help_section(path)) {
        parser.description(section->summary);
        parser.footer("\n" + section->text);
    }
    return parser;
}

void SubCommands::add(std::string_view path, Run (*declare)(CLI::App& parser)) {
    CLI::App& parser = add_parser(parent_, path);
    commands_.emplace_back(&parser, declare(parser));
}

Run SubCommands::run(Run otherwise) const {
    return [parent = &parent_, commands = commands_, otherwise = std::move(otherwise)](Session& session) {
        for (const auto& [parser, run] : commands) {
            if (parser->parsed()) {
                return run(session);
            }
        }
        if (!otherwise) {
            throw InputError("\"" + parent->get_name() + "\" needs one of its commands; \"hacscale " +
                             parent->get_name() + " --help\" lists them");
        }
        return otherwise(session);
    };
}

// Defined in the file that cli/embed_text.cmake writes.
extern const std::string_view help_document;

namespace {

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

}  // namespace

std::vector<HelpSection> parse_help(std::string_view markdown) {
    std::vector<HelpSection> sections;
    std::istringstream lines{std::string(markdown)};
    std::string line;
    bool in_code = false;
    while (std::getline(lines, line)) {
        if (line.starts_with("```")) {
            in_code = !in_code;
        } else if (!in_code && line.starts_with("#")) {
            sections.push_back({line.substr(std::min(line.find_first_not_of("# "), line.size())), "", ""});
        } else if (!sections.empty()) {
            sections.back().text += (in_code ? "    " + line : without_backquotes(line)) + "\n";
        }
    }
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

}  // namespace hacscale::cli
