// How much processor time the process's control group may use: the limit of a container
// (`docker run --cpus 1.5`) or of a service. Threads beyond it are stopped for a part of each period.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hacscale::host {

struct CpuQuota {
    double cores = 0.0;  // processor seconds a second
    std::string file;    // that sets it
    bool operator==(const CpuQuota&) const = default;
};

// The least of the process's own group and those around it, of both versions of control groups; nothing where
// none is limited. `root` as in processors.hpp.
std::optional<CpuQuota> cpu_quota(const std::filesystem::path& root);

}  // namespace hacscale::host
