#include "cli/session.hpp"

#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include "cli/interrupt.hpp"

namespace hacscale::cli {

Session::Session(std::ostream& answers, std::ostream& messages, spdlog::logger& logger, bool as_json,
                 bool terminal, std::string typed, const Restart* process)
    : out(answers),
      err(messages),
      log(logger),
      json(as_json),
      command_line(std::move(typed)),
      restart(process),
      bar_(messages, terminal) {}

void Session::note(const std::string& message) {
    log.info("{}", message);
}

void Session::warn(const std::string& message) {
    log.warn("{}", message);
}

void Session::warn(const std::string& message, const ShellCommand& command) {
    log.warn("{}\n{}", message, fmt::join(command.lines(), "\n"));
}

void Session::progress(double done, double total, const std::string& what) {
    bar_.set(done, total, what);
}

void Session::progress_ended() {
    bar_.clear();
}

bool Session::stop_requested() const {
    return interrupted();
}

ExitStatus status_with_doubts(ExitStatus status, Session& session) {
    if (session.doubts().empty() || status != ExitStatus::done) {
        return status;
    }
    session.warn("what was measured now may be too slow (see the warnings above): exit status 4");
    return ExitStatus::incomplete;
}

}  // namespace hacscale::cli
