#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "cli/help.hpp"

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

}  // namespace hacscale::cli
