// The program as a function: reads the arguments, runs one command, and turns every error into one sentence
// and an exit status. Tests call it in-process with streams of their own.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "cli/command.hpp"

namespace hacscale::cli {

// The parser of the whole program and what each command runs.
struct Program {
    CLI::App parser;
    std::vector<std::pair<CLI::App*, Run>> commands;
    bool json = false;
    bool quiet = false;
};

std::unique_ptr<Program> make_program();

// Returns the exit status: those of base/error.hpp, or 128 + the signal that interrupted the work.
// `err_is_terminal` allows progress bars; `restart` allows the process to start again when a device is lost.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, bool err_is_terminal = false,
        const Restart* restart = nullptr);

}  // namespace hacscale::cli
