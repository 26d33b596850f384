#include "kernels/host/core_claims.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace hacscale::host {

std::filesystem::path core_locks_folder() {
    if (const char* chosen = std::getenv("HACSCALE_CORE_LOCKS")) return chosen;
    return "/tmp/hacscale-cores";
}

CoreClaims::CoreClaims(std::filesystem::path folder) : folder_(std::move(folder)) {
    // As /tmp itself: everyone may add files, nobody may remove another's.
    if (::mkdir(folder_.c_str(), 0700) == 0) ::chmod(folder_.c_str(), 01777);
}

CoreClaims::~CoreClaims() {
    release_from(0);
}

std::vector<Core> CoreClaims::take(const std::vector<Core>& cores, std::size_t count,
                                   const std::filesystem::path& root) {
    const std::size_t held_before = files_.size();
    std::vector<Core> taken;
    for (const Core& core : cores) {
        if (taken.size() == count) break;
        const int file = locked(core_name(core.front(), root));
        if (!obstacle_.empty()) {
            release_from(held_before);
            return {cores.begin(),
                    cores.begin() + static_cast<std::ptrdiff_t>(std::min(count, cores.size()))};
        }
        if (file < 0) continue;
        files_.push_back(file);
        taken.push_back(core);
    }
    if (taken.size() == count) return taken;
    release_from(held_before);
    return {};
}

int CoreClaims::locked(int core) {
    const std::filesystem::path path = folder_ / ("core-" + std::to_string(core));
    // Reading is enough for a lock, and another user's file cannot be opened for more.
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        file = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (file >= 0) ::fchmod(file, 0644);  // whatever the user's mask takes away
    }
    if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    if (file < 0 || errno != EWOULDBLOCK) obstacle_ = path.string() + ": " + std::strerror(errno);
    if (file >= 0) ::close(file);
    return -1;
}

void CoreClaims::release_from(std::size_t first) {
    for (std::size_t i = first; i < files_.size(); ++i) ::close(files_[i]);
    files_.resize(first);
}

}  // namespace hacscale::host
