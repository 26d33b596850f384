// What the programs that measure on a device share: their arguments, their file of JSON lines, and how they end.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "base/error.hpp"

namespace hacscale::bench {

// Ends the program after --help, and with status 2 where the arguments are wrong.
inline void parse_or_exit(CLI::App& parser, int argc, char** argv) {
    try {
        parser.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(parser.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::bad_input));
    }
}

// The file of --out. Without a name it is not open, and what is written to it goes nowhere.
inline std::ofstream open_lines(const std::string& file) {
    std::ofstream lines;
    if (file.empty()) return lines;
    lines.open(file);
    if (!lines) throw WorkError("the file " + file + " cannot be written");
    return lines;
}

// Runs `work` and returns the program's exit status; an exception is a line on standard error, behind the program's name.
template <typename Work>
int exit_status_of(const char* program, const Work& work) {
    try {
        work();
        return static_cast<int>(ExitStatus::done);
    } catch (const Error& error) {
        std::cerr << program << ": " << error.what() << '\n';
        return static_cast<int>(error.status());
    } catch (const std::exception& error) {
        std::cerr << program << ": " << error.what() << '\n';
        return static_cast<int>(ExitStatus::failed);
    }
}

}  // namespace hacscale::bench
