// Commands that answers and warnings print for the user to paste into a shell.
#pragma once

#include <string>
#include <vector>

namespace hacscale::harness {

struct ShellCommand {
    std::vector<std::string> words;

    // In one line, quoted as a POSIX shell needs it.
    std::string text() const;
    // For a terminal: lines of its own, indented. Where the command does not fit in one, a line ends with a
    // backslash; no word is broken, and an option stays with its value.
    std::vector<std::string> lines() const;
};

}  // namespace hacscale::harness
