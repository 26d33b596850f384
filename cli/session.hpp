// What a command may use of the world outside: its two streams, the messages, and what the global options
// said. For the harness it is where events go: messages to the log, progress to a bar, and the signals of the
// process ask work to stop.
#pragma once

#include <spdlog/fwd.h>
#include <chrono>
#include <ostream>
#include <string>

#include "base/error.hpp"
#include "harness/events.hpp"

namespace hacscale::cli {

using namespace harness;

class Restart;

// "resnet18 [=====>    ] 41/100  12.3/s  5 s left"; `width` is that of the bar alone. `before` was done
// already when the clock started, as in work that resumes: it does not count for the
// rate.
std::string progress_line(const std::string& what, double done, double total, double elapsed_s,
                          int width = 30, double before = 0.0);

// A progress bar for long work: how much is done, the rate, and the time left. Drawn on one line of a
// terminal, at most ten times a second; where there is no terminal, it draws nothing.
class ProgressBar {
public:
    ProgressBar(std::ostream& terminal, bool enabled) : terminal_(terminal), enabled_(enabled) {}
    ~ProgressBar() { clear(); }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    // Other work, or work that begins again, starts the clock again.
    void set(double done, double total, const std::string& what);
    // Takes the bar off the screen; the next set() starts the clock again.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    std::ostream& terminal_;
    bool enabled_;
    std::string what_;
    double done_ = 0.0;
    double before_ = 0.0;  // done when the clock started
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_;
};

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

// SIGINT (Ctrl-C), SIGTERM and SIGHUP as a flag that long work polls between two measurements: the command keeps
// what was measured and says how to resume. The first signal sets the flag; a second one ends the program at once. A command that
// has not polled yet would never see the flag, so until the first poll a signal ends the program as it ends any other.

void catch_interrupts();  // from now on these signals set the flag
bool interrupted();       // for long loops to poll; the first call catches the signals
int interrupt_signal();   // the signal that came, 0 when none did; catches nothing
void clear_interrupt();   // forgets it

// What a shell expects of a program that a signal ended: 128 + its number, 130 for Ctrl-C.
int interrupt_exit_status();

}  // namespace hacscale::cli
