// Notices that the device held its clocks down while something was measured. Without instruments it notices
// nothing.
#pragma once

#include <functional>
#include <string>

#include "profiler/instruments.hpp"

namespace hacscale {

class ThrottleGuard {
public:
    explicit ThrottleGuard(Instruments* instruments) : instruments_(instruments) {}

    // Around each attempt to measure.
    void begin();
    void end();

    // Of the last attempt.
    bool throttled() const { return before_.throttled || after_.throttled; }
    std::string reason() const;  // for rows; empty when it was not throttled
    // As the attempt ended, before the clocks fell; its throttle reasons are those of both ends.
    DeviceState state() const;

private:
    Instruments* instruments_;
    DeviceState before_;
    DeviceState after_;
};

// Waits in short steps, as long as `keep_going` says so.
void pause(double seconds, const std::function<bool()>& keep_going);

}  // namespace hacscale
