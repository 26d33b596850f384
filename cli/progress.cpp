#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hacscale::cli {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);

std::string duration_text(double seconds) {
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

std::string progress_line(const std::string& label, std::int64_t done, std::int64_t total, double elapsed_s,
                          int width) {
    const double fraction =
        total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0.0;
    const auto filled = static_cast<std::size_t>(fraction * width);
    std::string bar(filled, '=');
    if (filled < static_cast<std::size_t>(width)) {
        bar += '>';
        bar.resize(static_cast<std::size_t>(width), ' ');
    }
    std::string line = fmt::format("{} [{}] {}/{}", label, bar, done, total);
    if (done > 0 && elapsed_s > 0) {
        const double rate_per_s = static_cast<double>(done) / elapsed_s;
        const double left_s = static_cast<double>(std::max<std::int64_t>(total - done, 0)) / rate_per_s;
        line += fmt::format("  {:.3g}/s  {} left", rate_per_s, duration_text(left_s));
    }
    return line;
}

Progress::Progress(std::ostream& terminal, bool enabled, std::string label, std::int64_t total)
    : terminal_(terminal), enabled_(enabled), label_(std::move(label)), total_(total) {}

Progress::~Progress() {
    if (enabled_) {
        terminal_ << "\r\033[K" << std::flush;
    }
}

void Progress::set(std::int64_t done) {
    const Clock::time_point now = Clock::now();
    if (!enabled_ || (drawn_ != Clock::time_point::min() && now - drawn_ < redraw_interval)) {
        return;
    }
    drawn_ = now;
    const double elapsed_s = std::chrono::duration<double>(now - start_).count();
    terminal_ << "\r\033[K" << progress_line(label_, done, total_, elapsed_s) << std::flush;
}

void Progress::set(std::int64_t done, std::int64_t total) {
    total_ = total;
    set(done);
}

}  // namespace hacscale::cli
