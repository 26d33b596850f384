#include "kernels/cuda/cupti/activity_records.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <tuple>
#include <unordered_map>

namespace hacscale::cupti {
namespace {

struct Launch {
    std::uint32_t correlation = 0;
    std::uint64_t start_ns = 0;
    KernelLaunch kernel;
};

// The struct that the newest record of a kernel has in this build's headers. Newer libraries append to it.
using KernelRecord = CUpti_ActivityKernel10;

template <typename Record>
const Record& as(const CUpti_Activity& record) {
    return reinterpret_cast<const Record&>(record);
}

// Calls use(record) for every whole record. False when the buffer holds one of a kind that is not known.
template <typename Use>
bool for_each_record(std::span<std::uint8_t> buffer, decltype(&cuptiActivityGetNextRecord) next_record,
                     Use use) {
    CUpti_Activity* record = nullptr;
    while (true) {
        const CUptiResult result = next_record(buffer.data(), buffer.size(), &record);
        if (result != CUPTI_SUCCESS) return result == CUPTI_ERROR_MAX_LIMIT_REACHED;
        use(*record);
    }
}

bool is_kernel(const CUpti_Activity& record) {
    return record.kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL || record.kind == CUPTI_ACTIVITY_KIND_KERNEL;
}

// Zero times mean that CUPTI had no memory to keep them.
double duration_us(const KernelRecord& record) {
    return record.start != 0 && record.end > record.start
               ? static_cast<double>(record.end - record.start) / 1000.0
               : 0.0;
}

Launch launch_of(const KernelRecord& record) {
    Launch launch;
    launch.correlation = record.correlationId;
    launch.start_ns = record.start;
    KernelLaunch& kernel = launch.kernel;
    kernel.name = readable_name(record.name);
    kernel.grid = {record.gridX, record.gridY, record.gridZ};
    kernel.block = {record.blockX, record.blockY, record.blockZ};
    kernel.registers_per_thread = record.registersPerThread;
    kernel.static_shared_bytes = record.staticSharedMemory;
    kernel.dynamic_shared_bytes = record.dynamicSharedMemory;
    kernel.cluster = {record.clusterX, record.clusterY, record.clusterZ};
    kernel.max_active_clusters = record.maxActiveClusters;
    kernel.duration_us = duration_us(record);
    return launch;
}

// Whether two runs launched the same kernels.
bool same_kernels(const std::vector<KernelLaunch>& left, const std::vector<KernelLaunch>& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const KernelLaunch& a, const KernelLaunch& b) {
                          return a.name == b.name && a.grid == b.grid && a.block == b.block;
                      });
}

}  // namespace

Attribution attribute_kernels(std::span<const std::span<std::uint8_t>> buffers, std::size_t ids,
                              decltype(&cuptiActivityGetNextRecord) next_record) {
    std::unordered_map<std::uint32_t, std::uint64_t> id_of_correlation;
    Attribution result;
    for (const std::span<std::uint8_t> buffer : buffers) {
        const bool readable = for_each_record(buffer, next_record, [&](const CUpti_Activity& record) {
            if (record.kind != CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION) return;
            const auto& correlation = as<CUpti_ActivityExternalCorrelation>(record);
            if (correlation.externalKind != layer_correlation) return;
            id_of_correlation[correlation.correlationId] = correlation.externalId;
        });
        if (!readable) ++result.unreadable_buffers;
    }

    std::vector<std::vector<Launch>> launches(ids);
    for (const std::span<std::uint8_t> buffer : buffers) {
        for_each_record(buffer, next_record, [&](const CUpti_Activity& record) {
            if (!is_kernel(record)) return;
            Launch launch = launch_of(as<KernelRecord>(record));
            const auto owner = id_of_correlation.find(launch.correlation);
            if (owner == id_of_correlation.end() || owner->second >= ids) {
                ++result.unclaimed;
            } else {
                launches[owner->second].push_back(std::move(launch));
            }
        });
    }

    // Correlation ids count calls, and one call can launch several kernels, one after the other.
    result.kernels.resize(ids);
    for (std::size_t id = 0; id < ids; ++id) {
        std::sort(launches[id].begin(), launches[id].end(), [](const Launch& left, const Launch& right) {
            return std::tie(left.correlation, left.start_ns) < std::tie(right.correlation, right.start_ns);
        });
        for (Launch& launch : launches[id]) result.kernels[id].push_back(std::move(launch.kernel));
    }
    return result;
}

std::vector<TimedLaunch> timed_launches(std::span<const std::span<std::uint8_t>> buffers,
                                        decltype(&cuptiActivityGetNextRecord) next_record) {
    struct Call {
        std::uint64_t start_ns = 0;
        std::uint64_t end_ns = 0;
    };
    std::unordered_map<std::uint32_t, Call> calls;
    for (const std::span<std::uint8_t> buffer : buffers) {
        for_each_record(buffer, next_record, [&](const CUpti_Activity& record) {
            if (record.kind != CUPTI_ACTIVITY_KIND_RUNTIME && record.kind != CUPTI_ACTIVITY_KIND_DRIVER)
                return;
            const auto& call = as<CUpti_ActivityAPI>(record);
            // A call of the runtime contains the driver's of the same id.
            const auto [seen, first] = calls.try_emplace(call.correlationId, Call{call.start, call.end});
            if (first) return;
            seen->second.start_ns = std::min<std::uint64_t>(seen->second.start_ns, call.start);
            seen->second.end_ns = std::max<std::uint64_t>(seen->second.end_ns, call.end);
        });
    }
    std::vector<TimedLaunch> launches;
    for (const std::span<std::uint8_t> buffer : buffers) {
        for_each_record(buffer, next_record, [&](const CUpti_Activity& record) {
            if (!is_kernel(record)) return;
            const auto& kernel = as<KernelRecord>(record);
            const auto call = calls.find(kernel.correlationId);
            if (call == calls.end() || duration_us(kernel) == 0.0) return;
            launches.push_back({static_cast<double>(call->second.start_ns) / 1000.0,
                                static_cast<double>(call->second.end_ns) / 1000.0, duration_us(kernel)});
        });
    }
    std::sort(launches.begin(), launches.end(), [](const TimedLaunch& left, const TimedLaunch& right) {
        return left.call_start_us < right.call_start_us;
    });
    return launches;
}

std::vector<KernelLaunch> median_launches(std::span<const std::vector<KernelLaunch>> runs) {
    if (runs.empty()) return {};
    std::vector<KernelLaunch> result = runs.back();
    for (std::size_t kernel = 0; kernel < result.size(); ++kernel) {
        std::vector<double> durations_us;
        for (const std::vector<KernelLaunch>& run : runs) {
            if (!same_kernels(run, result)) continue;
            if (run[kernel].duration_us > 0.0) durations_us.push_back(run[kernel].duration_us);
        }
        if (durations_us.empty()) continue;
        const auto middle = durations_us.begin() + static_cast<std::ptrdiff_t>(durations_us.size() / 2);
        std::nth_element(durations_us.begin(), middle, durations_us.end());
        result[kernel].duration_us = *middle;
    }
    return result;
}

std::string readable_name(const char* mangled) {
    if (mangled == nullptr) return "(no name)";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
    if (status != 0 || demangled == nullptr) return mangled;
    std::string name = demangled.get();
    if (name.starts_with("void ")) name.erase(0, 5);
    if (!name.ends_with(')')) return name;
    int open = 0;
    for (std::size_t at = name.size(); at-- > 0;) {
        if (name[at] == ')') ++open;
        if (name[at] == '(' && --open == 0) {
            if (at > 0) name.erase(at);
            break;
        }
    }
    return name;
}

}  // namespace hacscale::cupti
