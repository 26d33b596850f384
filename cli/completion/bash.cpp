#include <fmt/format.h>

#include "cli/completion/completion.hpp"

namespace hacscale::cli {

// The words before the cursor are walked to find the command; file names complete wherever no word fits.
std::string bash_completion(const std::vector<CompletionWords>& words) {
    const auto [paths, cases] = shell_cases(words, "words=\"", "\"");
    return fmt::format(R"(_hacscale() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} path="" word words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "${{path:+$path }}$word" in
            {}) path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path" in
{}    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _hacscale hacscale
)",
                       paths, cases);
}

}  // namespace hacscale::cli
