// Whole networks timed on a device, as comparisons and verifications need them: by whom is not their concern,
// so that tests can time with a formula.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale::harness {

struct TimedNetwork {
    double latency_us = 0.0;  // median of one inference; 0 when it could not be timed
    double ci95_us = 0.0;
    bool converged = false;    // the interval is as narrow as was asked for
    std::string reason;        // why it could not be timed
    bool out_of_time = false;  // it was not timed because the time was up
    UpperPercentiles upper{};  // microseconds, of the passes that the median is of

    bool timed() const { return latency_us > 0.0; }
};

// All in interleaved rounds, so that their ratios hold although the machine drifts. One answer a model.
using TimeNetworks = std::function<std::vector<TimedNetwork>(const std::vector<ModelSpec>&)>;

}  // namespace hacscale::harness
