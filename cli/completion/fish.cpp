#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion/completion.hpp"

namespace hacscale::cli {

namespace {

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char letter : text) {
        result += letter == '\'' || letter == '\\' ? std::string("\\") + letter : std::string(1, letter);
    }
    return result + "'";
}

// Holds when exactly the commands of this path have been given.
std::string condition(const CompletionWords& words) {
    if (words.path.empty()) {
        return "__fish_use_subcommand";
    }
    std::string text;
    std::size_t start = 0;
    while (start < words.path.size()) {
        const std::size_t end = std::min(words.path.find(' ', start), words.path.size());
        text += fmt::format("{}__fish_seen_subcommand_from {}", start == 0 ? "" : "; and ",
                            words.path.substr(start, end - start));
        start = end + 1;
    }
    if (!words.commands.empty()) {
        text += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(words.commands, " "));
    }
    return text;
}

}  // namespace

std::string fish_completion(const std::vector<CompletionWords>& words) {
    std::string script;
    for (const CompletionWords& one : words) {
        const std::string when = quoted(condition(one));
        const std::string path = one.path.empty() ? "" : one.path + " ";
        for (const std::string& command : one.commands) {
            for (const CompletionWords& below : words) {
                if (below.path == path + command) {
                    script += fmt::format("complete -c hacscale -n {} -a {} -d {}\n", when, command,
                                          quoted(below.summary));
                }
            }
        }
        for (const std::string& option : one.options) {
            script += fmt::format("complete -c hacscale -n {} -l {}\n", when, option.substr(2));
        }
        if (!one.models.empty()) {
            script += fmt::format("complete -c hacscale -n {} -a {}\n", when,
                                  quoted(fmt::format("{}", fmt::join(one.models, " "))));
        }
    }
    return script;
}

}  // namespace hacscale::cli
