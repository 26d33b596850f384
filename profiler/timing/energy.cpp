#include "profiler/timing/energy.hpp"

#include <algorithm>
#include <cmath>

namespace hacscale {
namespace {

constexpr double burst_us = 20e3;  // between two looks at the counter, beside which these are short
constexpr int most_runs_in_burst = 10'000;

}  // namespace

EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going) {
    const DeviceState state = instruments.state();
    if (!state.energy_mj) {
        const auto said = state.reasons.find("energy_mj");
        return {{}, said != state.reasons.end() ? said->second : "the device has no energy counter"};
    }
    const double once_us = std::max(runner.time_runs(1), 0.1);
    const int burst = std::clamp(static_cast<int>(burst_us / once_us), 1, most_runs_in_burst);

    struct Step {
        double energy_mj;
        double at_us;
    };
    std::optional<Step> first;  // the step that counting began at
    std::int64_t runs = 0;      // since then
    double last_mj = *state.energy_mj;
    const double begin_us = runner.clock_us();
    while (keep_going()) {
        runner.time_runs(burst);
        runs += burst;
        const double energy_mj = instruments.state().energy_mj.value_or(last_mj);
        const double time_us = runner.clock_us();
        // A step may be longer than `seconds`, so the second one has that long again to come.
        const double most_us = (first ? 3.0 : 1.0) * seconds * 1e6;
        if (energy_mj != last_mj) {
            if (first && time_us - first->at_us >= seconds * 1e6) {
                const double used_mj = energy_mj - first->energy_mj;
                if (used_mj <= 0.0) return {{}, "the device's energy counter runs backwards"};
                return {used_mj / static_cast<double>(runs), {}};
            }
            if (!first) {
                first = Step{energy_mj, time_us};
                runs = 0;
            }
            last_mj = energy_mj;
        } else if (time_us - begin_us > most_us) {
            return {{}, "the device's energy counter does not move"};
        }
    }
    return {{}, "interrupted before it was measured"};
}

}  // namespace hacscale
