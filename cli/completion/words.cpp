#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>

#include "cli/completion/completion.hpp"

namespace hacscale::cli {

namespace {

void add_words(const CLI::App& parser, const std::string& path, const std::vector<std::string>& zoo,
               std::vector<CompletionWords>& all) {
    CompletionWords words{path, parser.get_description(), {}, {}, {}};
    for (const CLI::App* below : parser.get_subcommands({})) {
        words.commands.push_back(below->get_name());
    }
    for (const CLI::Option* option : parser.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words.options.push_back("--" + name);
        }
        if (option->get_positional() && option->get_name(true).starts_with("model")) {
            words.models = zoo;
        }
    }
    all.push_back(std::move(words));
    for (const CLI::App* below : parser.get_subcommands({})) {
        add_words(*below, path + (path.empty() ? "" : " ") + below->get_name(), zoo, all);
    }
}

}  // namespace

std::vector<CompletionWords> completion_words(const CLI::App& parser, const std::vector<std::string>& zoo) {
    std::vector<CompletionWords> all;
    add_words(parser, "", zoo, all);
    return all;
}

std::span<const Shell> shells() {
    static constexpr std::array<Shell, 3> table{
        {{"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}}};
    return table;
}

ShellCases shell_cases(const std::vector<CompletionWords>& words, std::string_view begin,
                       std::string_view end) {
    ShellCases all;
    for (const CompletionWords& one : words) {
        if (!one.path.empty()) {
            all.paths += fmt::format("{}\"{}\"", all.paths.empty() ? "" : " | ", one.path);
        }
        all.cases +=
            fmt::format("        \"{}\") {}{} {} {}{} ;;\n", one.path, begin, fmt::join(one.commands, " "),
                        fmt::join(one.options, " "), fmt::join(one.models, " "), end);
    }
    return all;
}

}  // namespace hacscale::cli
