#include "profiler/timing/energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace hacscale {
namespace {

constexpr double burst_us = 20e3;  // between two looks at the counter; a look takes a driver less
constexpr int most_runs_in_burst = 10'000;

// The counter as it was seen to move, and what had been done until then.
struct Step {
    double energy_mj = 0.0;
    double at_us = 0.0;
    double busy_us = 0.0;
    std::int64_t runs = 0;
};

EnergyReading reading_between(const Step& first, const Step& last) {
    EnergyReading reading;
    reading.duty = (last.busy_us - first.busy_us) / (last.at_us - first.at_us);
    const double used_mj = last.energy_mj - first.energy_mj;
    if (used_mj <= 0.0) {
        reading.reason = "the device's energy counter runs backwards";
    } else if (reading.duty < min_duty) {
        reading.reason = fmt::format(
            "the device computed only {:.1f} % of the time in which its energy was "
            "counted, at least {:.0f} % are wanted; end what else keeps this machine busy",
            100.0 * reading.duty, 100.0 * min_duty);
    } else {
        reading.inference_mj = used_mj / static_cast<double>(last.runs - first.runs);
    }
    return reading;
}

}  // namespace

EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going) {
    const EnergyCounter counter = instruments.energy();
    if (!counter.mj) {
        return {{}, counter.reason.empty() ? "the device has no energy counter" : counter.reason};
    }
    const double once_us = std::max(runner.time_runs(1), 0.1);
    const int burst = std::clamp(static_cast<int>(burst_us / once_us), 1, most_runs_in_burst);

    std::optional<Step> first;  // the one that counting began at
    Step now{*counter.mj, runner.clock_us()};
    const double begin_us = now.at_us;
    while (keep_going()) {
        runner.start_runs(burst);
        const double energy_mj = instruments.energy().mj.value_or(now.energy_mj);
        now.at_us = runner.clock_us();
        const double burst_took_us = runner.finish_runs(burst);
        // A step may be longer than `seconds`, so the second one has that long again to come.
        const double most_us = (first ? 3.0 : 1.0) * seconds * 1e6;
        if (energy_mj != now.energy_mj) {
            now.energy_mj = energy_mj;
            if (first && now.at_us - first->at_us >= seconds * 1e6) return reading_between(*first, now);
            if (!first) first = now;
        } else if (now.at_us - begin_us > most_us) {
            return {{}, "the device's energy counter does not move"};
        }
        now.busy_us += burst_took_us;
        now.runs += burst;
    }
    return {{}, "interrupted before it was measured"};
}

}  // namespace hacscale
