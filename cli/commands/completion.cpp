// `hacscale completion SHELL`: a script that completes commands, options and model names.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/wording.hpp"
#include "cli/commands.hpp"
#include "cli/completion/completion.hpp"
#include "cli/program.hpp"
#include "models/zoo/zoo.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

const Shell& find_shell(const std::string& name) {
    std::vector<std::string> names;
    for (const Shell& shell : shells()) {
        if (shell.name == name) {
            return shell;
        }
        names.emplace_back(shell.name);
    }
    throw InputError("there is no completion for \"" + name + "\"; there is for bash, zsh and fish" +
                     detail::did_you_mean(name, names));
}

ExitStatus print_script(const std::string& shell_name, Session& session) {
    const Shell& shell = find_shell(shell_name);
    const std::string script = shell.script(completion_words(make_program()->parser, zoo_names()));
    if (session.json) {
        records::print_json(session.out, {{"shell", shell.name}, {"script", script}});
    } else {
        session.out << script;
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_completion(CLI::App& parser) {
    auto shell = std::make_shared<std::string>();
    parser.add_option("shell", *shell, "bash, zsh or fish")->required();
    return [shell](Session& session) { return print_script(*shell, session); };
}

}  // namespace hacscale::cli
