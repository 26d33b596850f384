// Which of the runtime's operations launched which kernels. Its profiler says when the host was at work on an operation, which on a
// GPU is when its kernels were launched and not when they ran; CUPTI says when each kernel was launched and how long it ran.
// The two clocks begin at different times, and neither says when.
#pragma once

#include <span>
#include <vector>

#include "kernels/cuda/cupti/activity_records.hpp"
#include "kernels/onnxruntime/session.hpp"

namespace hacscale::onnxruntime {

// Of each operation in one run: how long the kernels ran that it launched, microseconds. The shift between the clocks is the one by
// which most launches fall within an operation, and most operations have a launch. Throws WorkError where more than one launch in ten
// falls within none.
std::vector<double> kernel_us(std::span<const OperationEvent> operations,
                              std::span<const cupti::TimedLaunch> launches);

}  // namespace hacscale::onnxruntime
