// A progress bar for long work: how much is done, the rate, and the time left. Drawn on one line of a
// terminal, at most ten times a second; where there is no terminal, it draws nothing.
#pragma once

#include <chrono>
#include <ostream>
#include <string>

namespace hacscale::cli {

// "resnet18 [=====>    ] 41/100  12.3/s  5 s left"; `width` is that of the bar alone. `before` was done
// already when the clock started, as in work that goes on where it was stopped: it does not count for the
// rate.
std::string progress_line(const std::string& what, double done, double total, double elapsed_s,
                          int width = 30, double before = 0.0);

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

}  // namespace hacscale::cli
