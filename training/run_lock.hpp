// Claims one run for this process. The claim is an advisory lock (flock) on a file in the run's folder; the
// kernel drops it when the process ends in whatever way, so a killed process never blocks a run. It holds
// between machines as far as their shared file system carries flock: NFS does on Linux (since 2.6.12), Lustre
// when it is mounted with the option flock.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hacscale {

class RunLock {
public:
    // Nothing when another process has it. Makes the folder. Throws WorkError when the folder cannot be
    // written or its file system has no locks.
    static std::optional<RunLock> try_claim(const std::filesystem::path& run_folder);
    // Who has the run, as far as its file says: "process 4711 on node17".
    static std::string holder(const std::filesystem::path& run_folder);

    ~RunLock();
    RunLock(RunLock&& other) noexcept;
    RunLock& operator=(RunLock&&) = delete;

private:
    explicit RunLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace hacscale
