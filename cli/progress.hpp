// A progress bar for long work: how much is done, the rate, and the time left. Drawn on one line of a
// terminal, at most ten times a second; where there is no terminal, it draws nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

namespace hacscale::cli {

// "layers [=====>    ] 41/100  12.3/s  5 s left"; `width` is that of the bar alone.
std::string progress_line(const std::string& label, std::int64_t done, std::int64_t total, double elapsed_s,
                          int width = 30);

class Progress {
public:
    // `label` names what is counted, in the plural.
    Progress(std::ostream& terminal, bool enabled, std::string label, std::int64_t total);
    ~Progress();  // takes the bar off the screen
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void set(std::int64_t done);
    void set(std::int64_t done, std::int64_t total);  // for work whose end moves

private:
    using Clock = std::chrono::steady_clock;
    std::ostream& terminal_;
    bool enabled_;
    std::string label_;
    std::int64_t total_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_ = Clock::time_point::min();
};

}  // namespace hacscale::cli
