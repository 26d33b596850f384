// Which kernels a layer ran, from CUPTI's activity records. Before a layer is started its index is pushed as
// the external correlation id, so that every call into CUDA that the layer makes leaves a record (id, layer)
// beside the records of the kernels it launches, (id, kernel). Records come in any order: the first pass over
// the buffers gathers which layer an id belongs to, the second hands out the kernels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/backend/kernel_launch.hpp"
#include "kernels/cuda/cupti/cupti_library.hpp"

namespace hacscale::cupti {

// The kind under which layers are pushed; records of other kinds belong to other libraries.
inline constexpr CUpti_ExternalCorrelationKind layer_correlation = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;

struct Attribution {
    std::vector<std::vector<KernelLaunch>> kernels;  // one entry an id, in launch order
    std::int64_t unclaimed = 0;                      // kernels that no id between 0 and ids - 1 launched
    std::int64_t unreadable_buffers = 0;  // that held a record of a kind that the library does not know
};

// Each span is the filled part of a buffer that CUPTI completed, aligned to 8 bytes. next_record is the
// library's: only it knows how long records of all kinds are. A record cut off at a buffer's end is left out.
Attribution attribute_kernels(std::span<const std::span<std::uint8_t>> buffers, std::size_t ids,
                              decltype(&cuptiActivityGetNextRecord) next_record);

// A kernel, and the call that launched it, by the host's clock as CUPTI reads it.
struct TimedLaunch {
    double call_start_us = 0.0;
    double call_end_us = 0.0;
    double kernel_us = 0.0;
};

// The kernels whose calls and times are known, in the order of their calls.
std::vector<TimedLaunch> timed_launches(std::span<const std::span<std::uint8_t>> buffers,
                                        decltype(&cuptiActivityGetNextRecord) next_record);

// From runs of one layer: the kernels of the last run, each with the median of its durations over the runs
// that launched the same kernels.
std::vector<KernelLaunch> median_launches(std::span<const std::vector<KernelLaunch>> runs);

// A kernel's name as people read it: demangled, without "void " and the list of parameters.
std::string readable_name(const char* mangled);

}  // namespace hacscale::cupti
