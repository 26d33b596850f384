// The help texts: docs/cli.md, embedded when the program is built, so that what users read and what --help
// says are one. A command's section starts at the heading "## NAME" ("### NAME SUB" for a command below a
// command); the first paragraph is its summary, and what follows, up to the next heading, its text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser_fwd.hpp"

namespace hacscale::cli {

struct HelpSection {
    std::string title;    // "table query"
    std::string summary;  // one line
    // For the terminal: paragraphs in lines of answer_columns, code indented, Markdown's fences and backquotes gone.
    std::string text;
};

std::vector<HelpSection> parse_help(std::string_view markdown);
// The section of docs/cli.md with this title.
std::optional<HelpSection> help_section(std::string_view title);

// What --help prints, in lines of answer_columns; examples stay whole, so that they can be copied.
std::shared_ptr<CLI::FormatterBase> narrow_formatter();

}  // namespace hacscale::cli
