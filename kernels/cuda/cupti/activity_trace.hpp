// Records the kernels that layers launch, through CUPTI's activity API.
//
// The order of calls: start(); record() for each layer, or anything that launches kernels; stop(); then kernels() or launches(). CUPTI asks for empty buffers
// and hands back full ones from threads of its own, through callbacks that carry no user data: the buffers
// therefore belong to the process, and only one trace may be open at a time. A trace and a counter session
// (range_profiler.hpp) must not be open together, and neither while something is timed: CUPTI slows every
// launch down as long as records are enabled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/cuda/cupti/activity_records.hpp"

namespace hacscale::cupti {

class ActivityTrace {
public:
    explicit ActivityTrace(const CuptiLibrary& cupti) : cupti_(cupti) {}
    ~ActivityTrace();  // stops recording
    ActivityTrace(const ActivityTrace&) = delete;
    ActivityTrace& operator=(const ActivityTrace&) = delete;

    // These throw CuptiFailure.
    void start();
    // Kernels that the work launches from this thread belong to `id`.
    void record(std::uint64_t id, const std::function<void()>& launch_and_wait);
    // Returns when all records of completed work have been handed over: wait for the device before.
    void stop();

    // Of all that was recorded between start() and stop(), ids 0 to ids - 1.
    Attribution kernels(std::size_t ids) const;
    std::vector<TimedLaunch> launches() const;

private:
    void disable() noexcept;

    const CuptiLibrary& cupti_;
    std::vector<CUpti_ActivityKind> enabled_;
};

// Takes CUPTI out of the process; the next trace or counter session brings it back. While it is in, kernels
// take longer also when nothing is recorded: 0.2 us each on an H200. All work on the device must be done.
void detach(const CuptiLibrary& cupti) noexcept;

// Records that CUPTI could not keep, over all traces of this process.
std::int64_t dropped_activity_records();

}  // namespace hacscale::cupti
