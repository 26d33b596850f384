// Commands that answers and warnings print for the user to paste into a shell.
#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

namespace hacscale::cli {

struct ShellCommand {
    std::vector<std::string> words;

    // In one line, quoted as a POSIX shell needs it.
    std::string text() const;
    // For a terminal: lines of its own, indented. Where the command does not fit in one, a line ends with a
    // backslash; no word is broken, and an option stays with its value.
    std::vector<std::string> lines() const;
};

// The sentence, which ends with a colon, and the command below it.
void warn(Session& session, const std::string& sentence, const ShellCommand& command);

}  // namespace hacscale::cli
