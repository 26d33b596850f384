#include "kernels/host/processor_load.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace hacscale::host {

// proc(5): "cpu0 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL GUEST GUEST_NICE"; guests are in USER and
// NICE.
std::map<int, ProcessorTime> processor_times(const std::filesystem::path& root) {
    constexpr int fields = 8;
    std::map<int, ProcessorTime> times;
    std::ifstream in(root / "proc/stat");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (!name.starts_with("cpu") || name == "cpu") continue;
        ProcessorTime& time = times[std::atoi(name.c_str() + 3)];
        std::int64_t ticks = 0;
        for (int field = 0; field < fields && words >> ticks; ++field) {
            time.all += ticks;
            if (field == 3 || field == 4) time.idle += ticks;
        }
    }
    return times;
}

double busy_share(const Core& core, const std::map<int, ProcessorTime>& before,
                  const std::map<int, ProcessorTime>& after) {
    double busiest = 0.0;
    for (const int processor : core) {
        const auto first = before.find(processor);
        const auto last = after.find(processor);
        if (first == before.end() || last == after.end()) continue;
        const auto all = static_cast<double>(last->second.all - first->second.all);
        const auto idle = static_cast<double>(last->second.idle - first->second.idle);
        if (all > 0.0) busiest = std::max(busiest, 1.0 - idle / all);
    }
    return busiest;
}

}  // namespace hacscale::host
