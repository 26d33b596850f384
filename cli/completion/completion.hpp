// Completion scripts for shells, written from the program's own parser, so that they know every command and
// option. One shell a file, and one entry each in shells().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser_fwd.hpp"

namespace hacscale::cli {

// What may follow after the words of `path`, for example "table query".
struct CompletionWords {
    std::string path;  // empty: the program itself
    std::string summary;
    std::vector<std::string> commands;
    std::vector<std::string> options;  // long names, with their dashes
    std::vector<std::string> models;   // names of the zoo, where a model is an argument
};

// The program first, then each command and the ones below it.
std::vector<CompletionWords> completion_words(const CLI::App& parser, const std::vector<std::string>& zoo);

// For the scripts' `case`: all paths, and for each path what may follow, as `begin` words `end`.
struct ShellCases {
    std::string paths;
    std::string cases;
};
ShellCases shell_cases(const std::vector<CompletionWords>& words, std::string_view begin,
                       std::string_view end);

std::string bash_completion(const std::vector<CompletionWords>& words);
std::string zsh_completion(const std::vector<CompletionWords>& words);
std::string fish_completion(const std::vector<CompletionWords>& words);

struct Shell {
    std::string_view name;
    std::string (*script)(const std::vector<CompletionWords>&);
};

std::span<const Shell> shells();

}  // namespace hacscale::cli
