#include "kernels/host/cpu_description.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "base/clock.hpp"
#include "base/text/numbers.hpp"

namespace hacscale::host {
namespace {

std::string cpuinfo_value(const std::string& key) {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key)) continue;
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

// "L1d" -> "48K" and so on, from the first core's cache folders.
std::map<std::string, std::string> cache_sizes() {
    std::map<std::string, std::string> sizes;
    for (int i = 0; i < 8; ++i) {
        const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
        const std::string level = first_line(folder + "level");
        if (level.empty()) break;
        const std::string type = first_line(folder + "type");
        if (type == "Instruction") continue;
        sizes["L" + level + (type == "Data" ? "d" : "")] = first_line(folder + "size");
    }
    return sizes;
}

// x86 names its processors; on Arm there may be the board's name, and there are the numbers of the core's
// design.
std::string processor_name() {
    if (std::string name = cpuinfo_value("model name"); name != "unknown") return name;
    std::string board = first_line("/sys/firmware/devicetree/base/model");
    std::erase(board, '\0');
    const std::string maker = cpuinfo_value("CPU implementer");
    if (maker == "unknown") return board.empty() ? "unknown" : board;
    std::string core = "Arm core " + maker + "/" + cpuinfo_value("CPU part");
    return board.empty() ? core : board + ", " + core;
}

std::string memory_size() {
    const double bytes =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    return std::to_string(std::lround(bytes / (1 << 30))) + " GiB";
}

// Of the machine: this process is pinned already, so what it may use cannot be asked here.
std::vector<Core> all_cores() {
    std::vector<Core> online = cores_of(online_processors("/"), "/");
    if (!online.empty()) return online;
    std::vector<Core> counted;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
        counted.push_back({static_cast<int>(i)});
    }
    return counted;
}

}  // namespace

const CpuDescription& this_cpu() {
    static const CpuDescription description{processor_name(), all_cores(), cache_sizes(), memory_size()};
    return description;
}

std::vector<std::string> cpu_flags() {
    std::istringstream words(cpuinfo_value("flags"));
    return {std::istream_iterator<std::string>(words), {}};
}

bool has_wide_integer_sums() {
    const std::vector<std::string> flags = cpu_flags();
    return std::any_of(flags.begin(), flags.end(),
                       [](const std::string& flag) { return flag == "avx512_vnni" || flag == "avx_vnni"; });
}

std::vector<std::string> cpu_warnings() {
    std::vector<std::string> warnings;
    const std::string governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (!governor.empty() && governor != "performance") {
        warnings.push_back("the frequency governor is '" + governor +
                           "', timings may follow the clock; set 'performance'");
    }
    if (cpuinfo_value("flags").find("hypervisor") != std::string::npos) {
        warnings.push_back("this is a virtual machine: other guests may take time and cache from it");
    }
    const std::string averages = first_line("/proc/loadavg");
    const std::string load = averages.substr(0, averages.find(' '));
    if (finite_number(load).value_or(0.0) > 0.5 * static_cast<double>(this_cpu().cores.size())) {
        warnings.push_back("other work was running when the program started (load " + load + ")");
    }
#ifndef NDEBUG
    warnings.push_back("this is a debug build of the backend");
#endif
    return warnings;
}

std::size_t last_level_cache_bytes() {
    const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : std::size_t{32} << 20;
}

double copy_bandwidth(const OnAllThreads& on_all_threads) {
    const std::size_t most = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 8;
    const std::size_t bytes = std::min(2 * last_level_cache_bytes(), most) / 4096 * 4096;
    std::vector<std::byte> from(bytes, std::byte{1});
    std::vector<std::byte> to(bytes);
    const auto copy_share = [&](int index, int count) {
        const std::size_t share = bytes / count / 64 * 64;
        const std::size_t begin = share * index;
        std::memcpy(to.data() + begin, from.data() + begin, index == count - 1 ? bytes - begin : share);
    };
    double best_us = 0.0;
    for (int pass = 0; pass < 4; ++pass) {
        const double start = now_us();
        on_all_threads(copy_share);
        const double took = now_us() - start;
        if (pass > 0 && (best_us == 0.0 || took < best_us)) best_us = took;
    }
    return 2.0 * static_cast<double>(bytes) / best_us * 1e6;
}

}  // namespace hacscale::host
