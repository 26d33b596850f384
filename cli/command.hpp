// A sub-command of the program: a name, and what declares its options. One file a command in cli/commands/,
// one entry each in the table of cli/commands.hpp. Summary and help text come from the command's section of
// docs/cli.md (cli/help.hpp).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cli/parser_fwd.hpp"
#include "cli/session.hpp"

namespace hacscale::cli {

// Does the command's work after the options have been read. Errors are exceptions, see base/error.hpp.
using Run = std::function<ExitStatus(Session&)>;

struct Command {
    std::string_view name;
    // Adds options to the command's parser and returns what runs with the values they were given.
    Run (*declare)(CLI::App& parser);
};

// A parser for the command of this path below `parent`, with its help from docs/cli.md.
CLI::App& add_parser(CLI::App& parent, std::string_view path);

// Declares a command below a command, as in "table show". `path` is the whole name, which is also its
// section's title. What `declare` returns runs when this command was the one given.
class SubCommands {
public:
    explicit SubCommands(CLI::App& parent) : parent_(parent) {}
    void add(std::string_view path, Run (*declare)(CLI::App& parser));
    // Runs the one that was given, or `otherwise` when there was none.
    Run run(Run otherwise = nullptr) const;

private:
    CLI::App& parent_;
    std::vector<std::pair<CLI::App*, Run>> commands_;
};

}  // namespace hacscale::cli
