// What a command may use of the world outside: its two streams, the messages, and what the global options
// said.
#pragma once

#include <spdlog/fwd.h>

#include <ostream>
#include <string>
#include <vector>

namespace hacscale::cli {

class Restart;

struct Session {
    std::ostream& out;         // the answer, and nothing else
    std::ostream& err;         // progress and messages
    spdlog::logger& log;       // writes to err
    bool json = false;         // --json: the answer is machine-readable
    bool progress = false;     // err is a terminal and --quiet was not given: bars may be drawn
    std::string command_line;  // as it was typed, for records
    const Restart* restart =
        nullptr;  // how the process starts again (harness/measure/restart.hpp), if it may
    // Why what this process measures may be too slow; the user was warned of each (harness/measure/doubt.hpp).
    std::vector<std::string> doubts{};
};

}  // namespace hacscale::cli
