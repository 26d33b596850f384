#include "cli/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <mutex>

#include "base/text/utf8.hpp"
#include "base/text/wording.hpp"

namespace hacscale::cli {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr int bar_width = 30;

std::string countdown_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{}:{:02} min", whole / 60, whole % 60);
    }
    return fmt::format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

}  // namespace

std::string progress_line(const std::string& what, double done, double total, double elapsed_s, int width,
                          double before) {
    const double fraction = total > 0.0 ? std::clamp(done / total, 0.0, 1.0) : 0.0;
    const auto filled = static_cast<std::size_t>(fraction * width);
    std::string bar(filled, '=');
    if (filled < static_cast<std::size_t>(width)) {
        bar += '>';
        bar.resize(static_cast<std::size_t>(width), ' ');
    }
    std::string line = fmt::format("{} [{}] {:.0f}/{:.0f}", printable(what), bar, done, total);
    if (done > before && elapsed_s > 0.0) {
        const double rate_per_s = (done - before) / elapsed_s;
        line += fmt::format("  {}/s  {} left", plain_number(rate_per_s),
                            countdown_text(std::max(total - done, 0.0) / rate_per_s));
    }
    return line;
}

void ProgressBar::clear() {
    if (enabled_ && !what_.empty()) {
        terminal_ << "\r\033[K" << std::flush;
        what_.clear();
        drawn_ = {};
    }
}

void ProgressBar::set(double done, double total, const std::string& what) {
    if (!enabled_) {
        return;
    }
    const Clock::time_point now = Clock::now();
    const bool restarted = what != what_ || done < done_;
    if (restarted) {
        what_ = what;
        start_ = now;
        before_ = done;
    }
    done_ = done;
    if (!restarted && now - drawn_ < redraw_interval) {
        return;
    }
    drawn_ = now;
    const double elapsed_s = std::chrono::duration<double>(now - start_).count();
    terminal_ << "\r\033[K" << progress_line(what, done, total, elapsed_s, bar_width, before_) << std::flush;
}

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

namespace {

std::atomic<int> received_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_signal(int signal) {
    received_signal.store(signal, std::memory_order_relaxed);
    std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        // Whoever started the program with a signal ignored (nohup) wants that.
        if (std::signal(signal, on_signal) == SIG_IGN) {
            std::signal(signal, SIG_IGN);
        }
    }
}

bool interrupted() {
    static std::once_flag first_poll;
    std::call_once(first_poll, catch_interrupts);
    return interrupt_signal() != 0;
}
int interrupt_signal() {
    return received_signal.load(std::memory_order_relaxed);
}
void clear_interrupt() {
    received_signal.store(0, std::memory_order_relaxed);
}
int interrupt_exit_status() {
    return 128 + interrupt_signal();
}

}  // namespace hacscale::cli
