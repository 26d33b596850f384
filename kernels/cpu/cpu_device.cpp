#include "kernels/cpu/cpu_device.hpp"

#include <omp.h>
#include <sched.h>
#include <unistd.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "kernels/backend/private_folder.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/plan_choice.hpp"
#include "kernels/cpu/tensor.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::cpu {
namespace {

using host::first_line;

// Counts up whenever a change to this backend changes timings; part of the fingerprint.
constexpr int kernel_generation = 3;

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

#if defined(__aarch64__)

std::string instruction_set() {
    return (getauxval(AT_HWCAP) & HWCAP_SVE) != 0 ? "sve" : "asimd";
}

#else

std::string instruction_set() {
    using dnnl::cpu_isa;
    // From the largest down: the first one that the processor has all of.
    static const std::vector<std::pair<cpu_isa, std::string> > names {
#if DNNL_VERSION_MAJOR >= 3
        {cpu_isa::avx512_core_amx_fp16, "avx512_core_amx_fp16"},
            {cpu_isa::avx512_core_amx, "avx512_core_amx"}, {cpu_isa::avx512_core_fp16, "avx512_core_fp16"},
#else
        {cpu_isa::avx512_core_amx, "avx512_core_amx"},
#endif
            {cpu_isa::avx512_core_bf16, "avx512_core_bf16"}, {cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
            {cpu_isa::avx512_core, "avx512_core"},
#if DNNL_VERSION_MAJOR >= 3
            {cpu_isa::avx2_vnni_2, "avx2_vnni_2"},
#endif
            {cpu_isa::avx2_vnni, "avx2_vnni"}, {cpu_isa::avx2, "avx2"}, {cpu_isa::avx, "avx"},
            {cpu_isa::sse41, "sse41"},
    };
    for (const auto& [isa, name] : names) {
        if (onednn::processor_has(isa)) return name;
    }
    return "other";
}

#endif

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
std::vector<host::Core> cores() {
    std::vector<host::Core> online = host::cores_of(host::online_processors("/"), "/");
    if (!online.empty()) return online;
    std::vector<host::Core> counted;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
        counted.push_back({static_cast<int>(i)});
    }
    return counted;
}

std::vector<std::string> timing_warnings(const std::string& fingerprint) {
    std::vector<std::string> warnings;
    const std::string governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (!governor.empty() && governor != "performance") {
        warnings.push_back("the frequency governor is '" + governor +
                           "', timings may follow the clock; set 'performance'");
    }
    if (cpuinfo_value("flags").find("hypervisor") != std::string::npos) {
        warnings.push_back("this is a virtual machine: other guests may take time and cache from it");
    }
    const std::string load = first_line("/proc/loadavg");
    if (!load.empty() && std::stod(load) > 0.5 * static_cast<double>(cores().size())) {
        warnings.push_back("other work was running when the program started (load " +
                           load.substr(0, load.find(' ')) + ")");
    }
    if (const std::string obstacle = plan_cache_obstacle(plan_cache_file(fingerprint)); !obstacle.empty()) {
        warnings.push_back(obstacle);
    }
#ifndef NDEBUG
    warnings.push_back("this is a debug build of the backend");
#endif
    return warnings;
}

BackendDevice describe() {
    const dnnl_version_t* version = dnnl::version();
    const std::string onednn = std::to_string(version->major) + '.' + std::to_string(version->minor) + '.' +
                               std::to_string(version->patch);
    nlohmann::ordered_json properties;
    properties["processor"] = processor_name();
    const std::vector<host::Core> all = cores();
    properties["cores"] = all.size();
    // Only where a core has more than one, so that all other machines keep the fingerprint that they had.
    if (const int processors = host::logical_processors(all); processors > static_cast<int>(all.size())) {
        properties["hardware_threads"] = processors;
    }
    properties["threads"] = omp_get_max_threads();
    properties["pinned"] = omp_get_proc_bind() != omp_proc_bind_false;
    properties["caches"] = cache_sizes();
    properties["instruction_set"] = instruction_set();
    properties["onednn"] = onednn;
    properties["kernel_generation"] = kernel_generation;
    BackendDevice device;
    device.id = "cpu";
    device.threads = omp_get_max_threads();
    device.fingerprint = hex_hash(properties.dump());
    device.name = properties["processor"].get<std::string>() + " (" + std::to_string(device.threads) +
                  (device.threads == 1 ? " thread)" : " threads)");
    // Told, but not part of the fingerprint: they don't decide timings.
    properties["memory"] = memory_size();
    properties["compiler"] = __VERSION__;
    device.properties = properties.dump();
    device.warnings = timing_warnings(device.fingerprint);
    return device;
}

}  // namespace

const BackendDevice& cpu_device() {
    static const BackendDevice device = describe();
    return device;
}

int channel_block() {
    return onednn::processor_has(dnnl::cpu_isa::avx512_core) ? 16 : 8;
}

const WinogradKernels& winograd_kernels() {
#if defined(__x86_64__)
    if (onednn::processor_has(dnnl::cpu_isa::avx512_core)) return winograd_avx512;
    if (onednn::processor_has(dnnl::cpu_isa::avx2)) return winograd_avx2;
#endif
    return winograd_baseline;
}

std::size_t last_level_cache_bytes() {
    const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : std::size_t{32} << 20;
}

double copy_bandwidth() {
    const std::size_t most = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 8;
    const std::size_t bytes = std::min(2 * last_level_cache_bytes(), most) / 4096 * 4096;
    Buffer from(bytes);
    Buffer to(bytes);
    const auto copy = [&] {
#pragma omp parallel
        {
            const std::size_t share = bytes / omp_get_num_threads() / 64 * 64;
            const std::size_t begin = share * omp_get_thread_num();
            const bool last = omp_get_thread_num() == omp_get_num_threads() - 1;
            std::memcpy(to.data() + begin, from.data() + begin, last ? bytes - begin : share);
        }
    };
    std::fill_n(from.data(), bytes, std::byte{1});
    double best_us = 0.0;
    for (int pass = 0; pass < 4; ++pass) {
        const double start = now_us();
        copy();
        const double took = now_us() - start;
        if (pass > 0 && (best_us == 0.0 || took < best_us)) best_us = took;  // the first pass maps the pages
    }
    return 2.0 * static_cast<double>(bytes) / best_us * 1e6;
}

}  // namespace hacscale::cpu
