// Which of several ways to run a layer is taken, from their times. No device is needed here: whoever asks
// says how a time is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hacscale::cuda {

struct Verdict {
    std::size_t chosen = 0;
    std::vector<double> median_us;      // infinite for those that failed
    std::vector<std::string> failures;  // why a candidate cannot run; empty for those that can
};

// Candidates come in order of preference; one further back is taken only if it is more than 3 % faster.
// `time_once` runs one candidate once and returns microseconds. Rounds over all candidates interleave, in an order
// that `seed` shuffles, each followed by its reverse, so that neither drift nor what a neighbour leaves behind decides. Those far
// behind are timed a few times only: after every three rounds at most half go on, and none that is slower than the
// best by a share that shrinks. A candidate whose run throws is dropped; DeviceLost goes through. Throws WorkError
// with the reasons when none is left.
Verdict fastest(std::size_t candidates, const std::function<double(std::size_t)>& time_once,
                std::uint64_t seed = 1);

}  // namespace hacscale::cuda
