// What long work tells and asks whoever called it: messages, progress, whether to stop, and doubts about what is measured.
// The program implements it for a terminal (cli/session.hpp); another front end does so for what it shows.
#pragma once

#include <string>
#include <vector>

#include "profiler/measure_networks.hpp"

namespace hacscale::harness {

// A command that answers and warnings print for the user to paste into a shell.
struct ShellCommand {
    std::vector<std::string> words;

    // In one line, quoted as a POSIX shell needs it.
    std::string text() const;
    // For a terminal: lines of its own, indented. Where the command does not fit in one, a line ends with a
    // backslash; no word is broken, and an option stays with its value.
    std::vector<std::string> lines() const;
};

class Events {
public:
    virtual ~Events() = default;

    // What is being done now, in one sentence.
    virtual void note(const std::string& message) = 0;
    // What lessens the answer.
    virtual void warn(const std::string& message) = 0;
    // A warning that ends with a colon or a "by", and the command to paste that removes its cause.
    virtual void warn(const std::string& message, const ShellCommand& command) = 0;

    // `what` names the work; `done` and `total` count its parts. Called often, from the thread that works.
    virtual void progress(double done, double total, const std::string& what) = 0;
    virtual void progress_ended() = 0;

    // Asked between two measurements. Once it is true, work ends early and keeps what it has.
    virtual bool stop_requested() const = 0;

    // Why what this process measures may be too slow, as other work on its cores. Whoever keeps a doubt has said so in a
    // warning; records of what is measured name it again.
    void keep_doubt(const std::string& reason) { doubts_.push_back(reason); }
    const std::vector<std::string>& doubts() const { return doubts_; }

private:
    std::vector<std::string> doubts_;
};

// Tells nothing, and lets work run to its end; doubts are kept.
class SilentEvents : public Events {
public:
    void note(const std::string&) override {}
    void warn(const std::string&) override {}
    void warn(const std::string&, const ShellCommand&) override {}
    void progress(double, double, const std::string&) override {}
    void progress_ended() override {}
    bool stop_requested() const override { return false; }
};

// The progress of one piece of work, which ends when this goes out of scope.
class Progress {
public:
    explicit Progress(Events& events) : events_(events) {}
    ~Progress() { events_.progress_ended(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void set(double done, double total, const std::string& what) { events_.progress(done, total, what); }
    // For the profiler. This must outlive the result.
    WorkEvents work_events() {
        return {[this] { return !events_.stop_requested(); },
                [this](double done, double total, const std::string& what) { set(done, total, what); }};
    }

private:
    Events& events_;
};

}  // namespace hacscale::harness
