#include "profiler/timing/visit_speed.hpp"

#include <algorithm>
#include <cstddef>

namespace hacscale {

CountedSpeed counted_speed(const std::vector<std::vector<double>>& readings_us, double fastest_us,
                           int min_visits) {
    constexpr double limit = 1.0 + MachineSpeed::tolerance;
    const auto enough = static_cast<std::size_t>(std::max(1, min_visits));
    double needed_us = 0.0;
    for (std::vector<double> of_network : readings_us) {
        if (of_network.empty()) continue;
        const auto last =
            of_network.begin() + static_cast<std::ptrdiff_t>(std::min(enough, of_network.size()) - 1);
        std::nth_element(of_network.begin(), last, of_network.end());
        needed_us = std::max(needed_us, *last);
    }
    if (needed_us <= limit * fastest_us) return {limit * fastest_us, 1.0};
    double reference_us = needed_us;
    for (const std::vector<double>& of_network : readings_us) {
        for (const double us : of_network) {
            if (limit * us >= needed_us) reference_us = std::min(reference_us, us);
        }
    }
    return {limit * reference_us, needed_us / fastest_us};
}

}  // namespace hacscale
