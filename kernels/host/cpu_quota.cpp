
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::host {
namespace {

namespace fs = std::filesystem;

// Where groups of one kind are seen as folders.
struct Mount {
    bool version_2 = false;
    fs::path shows;  // the group that is seen at `at`: not the outermost one, in a container
    fs::path at;
};

// /proc writes a blank in a path as \040, and other odd characters likewise.
std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            plain += static_cast<char>(std::strtol(text.substr(i + 1, 3).c_str(), nullptr, 8));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

bool lists(const std::string& words, const std::string& wanted) {
    std::istringstream in(words);
    for (std::string word; std::getline(in, word, ',');) {
        if (word == wanted) return true;
    }
    return false;
}

// proc(5): ID PARENT MAJOR:MINOR ROOT MOUNT_POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS
std::vector<Mount> control_group_mounts(const fs::path& root) {
    std::vector<Mount> mounts;
    std::ifstream in(root / "proc/self/mountinfo");
    for (std::string line; std::getline(in, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::istringstream before(line.substr(0, dash));
        std::istringstream after(line.substr(dash + 3));
        std::string skipped, shows, at, type, source, options;
        before >> skipped >> skipped >> skipped >> shows >> at;
        after >> type >> source >> options;
        if (type == "cgroup2" || (type == "cgroup" && lists(options, "cpu"))) {
            mounts.push_back({type == "cgroup2", unescaped(shows), unescaped(at)});
        }
    }
    return mounts;
}

// Of the process: "/user.slice/session-1.scope". cgroups(7): ID:CONTROLLERS:PATH, version 2 without both.
fs::path own_group(const fs::path& root, bool version_2) {
    std::ifstream in(root / "proc/self/cgroup");
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (version_2 ? controllers.empty() && line.starts_with("0:") : lists(controllers, "cpu")) {
            return line.substr(second + 1);
        }
    }
    return "/";
}

// "50000 100000" or "max 100000"
std::optional<double> quota_2(const fs::path& file) {
    std::istringstream in(first_line(file));
    double quota = 0.0;
    double period = 0.0;
    if (!(in >> quota >> period) || quota <= 0.0 || period <= 0.0) return std::nullopt;
    return quota / period;
}

std::optional<double> quota_1(const fs::path& group) {
    const double quota = std::atof(first_line(group / "cpu.cfs_quota_us").c_str());  // -1: none
    const double period = std::atof(first_line(group / "cpu.cfs_period_us").c_str());
    if (quota <= 0.0 || period <= 0.0) return std::nullopt;
    return quota / period;
}

}  // namespace

std::optional<CpuQuota> cpu_quota(const fs::path& root) {
    std::optional<CpuQuota> least;
    for (const Mount& mount : control_group_mounts(root)) {
        const fs::path mounted = root / mount.at.relative_path();
        // Seen from a container, a group outside begins with "..", and the mount shows the container's own.
        fs::path below = own_group(root, mount.version_2).lexically_relative(mount.shows);
        if (below.empty() || *below.begin() == "..") below = ".";
        fs::path group = mounted;
        const auto look = [&] {
            const fs::path file = group / (mount.version_2 ? "cpu.max" : "cpu.cfs_quota_us");
            const auto cores = mount.version_2 ? quota_2(file) : quota_1(group);
            if (cores && (!least || *cores < least->cores)) least = CpuQuota{*cores, file.string()};
        };
        look();
        for (const fs::path& part : below) {
            if (part == ".") continue;
            group /= part;
            look();
        }
    }
    return least;
}

}  // namespace hacscale::host
