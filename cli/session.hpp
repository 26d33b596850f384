// What a command may use of the world outside: its two streams, the messages, and what the global options
// said. For the harness it is where events go: messages to the log, progress to a bar, and the signals of the
// process ask work to stop.
#pragma once

#include <spdlog/fwd.h>

#include <ostream>
#include <string>

#include "base/error.hpp"
#include "cli/progress.hpp"
#include "harness/events.hpp"

namespace hacscale::cli {

using namespace harness;

class Restart;

class Session final : public Events {
public:
    // `terminal`: bars may be drawn on `messages`. `process` is null where the process may not start again
    // (cli/restart.hpp).
    Session(std::ostream& answers, std::ostream& messages, spdlog::logger& logger, bool as_json = false,
            bool terminal = false, std::string typed = "", const Restart* process = nullptr);

    void note(const std::string& message) override;
    void warn(const std::string& message) override;
    void warn(const std::string& message, const ShellCommand& command) override;
    void progress(double done, double total, const std::string& what) override;
    void progress_ended() override;
    bool stop_requested() const override;

    std::ostream& out;               // the answer, and nothing else
    std::ostream& err;               // progress and messages
    spdlog::logger& log;             // writes to err
    const bool json;                 // --json: the answer is machine-readable
    const std::string command_line;  // as it was typed
    const Restart* const restart;

private:
    ProgressBar bar_;
};

// The status of a command that measured: `done` becomes `incomplete`, with a sentence, where times may be
// wrong.
ExitStatus status_with_doubts(ExitStatus status, Session& session);

}  // namespace hacscale::cli
