#include <fmt/format.h>

#include "cli/completion/completion.hpp"

namespace hacscale::cli {

std::string zsh_completion(const std::vector<CompletionWords>& words) {
    const auto [paths, cases] = shell_cases(words, "candidates=(", ")");
    return fmt::format(R"(#compdef hacscale
_hacscale() {{
    local word="" command_path=""
    local -a candidates
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "${{command_path:+$command_path }}$word" in
            ({}) command_path="${{command_path:+$command_path }}$word" ;;
        esac
    done
    case "$command_path" in
{}    esac
    compadd -- "${{candidates[@]}}"
    _files
}}
compdef _hacscale hacscale
)",
                       paths, cases);
}

}  // namespace hacscale::cli
