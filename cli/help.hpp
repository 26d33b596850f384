// The help texts: docs/cli.md, embedded when the program is built, so that what users read and what --help
// says are one. A command's section starts at the heading "## NAME" ("### NAME SUB" for a command below a
// command); the first paragraph is its summary, and what follows, up to the next heading, its text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hacscale::cli {

struct HelpSection {
    std::string title;    // "table query"
    std::string summary;  // one line
    std::string text;     // for the terminal: code indented, Markdown's fences and backquotes gone
};

std::vector<HelpSection> parse_help(std::string_view markdown);
// The section of docs/cli.md with this title.
std::optional<HelpSection> help_section(std::string_view title);

}  // namespace hacscale::cli
