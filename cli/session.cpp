#include "cli/session.hpp"

#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include "cli/interrupt.hpp"

namespace hacscale::cli {

Session::Session(std::ostream& out, std::ostream& err, spdlog::logger& log, bool json, bool terminal,
                 std::string command_line, const Restart* restart)
    : out(out),
      err(err),
      log(log),
      json(json),
      command_line(std::move(command_line)),
      restart(restart),
      bar_(err, terminal) {}

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
