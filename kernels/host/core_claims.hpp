// Cores that one measurement has for itself, by agreement between the processes of this program on a machine:
// each holds a lock on a file a core. A lock ends with its process, however that ends.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::host {

// $HACSCALE_CORE_LOCKS, else hacscale-cores in /tmp, which all users and containers of a machine that share
// /tmp see. Empty when that variable is set to nothing: then no core is claimed.
std::filesystem::path core_locks_folder();

class CoreClaims {
public:
    // Makes the folder where it is not there.
    explicit CoreClaims(std::filesystem::path folder);
    ~CoreClaims();
    CoreClaims(const CoreClaims&) = delete;
    CoreClaims& operator=(const CoreClaims&) = delete;

    // Claims `count` of the cores, the first ones that no other process has. When there are fewer, none is
    // claimed and the answer is empty. Claims are held as long as this object.
    std::vector<Core> take(const std::vector<Core>& cores, std::size_t count,
                           const std::filesystem::path& root = "/");
    // Why locks cannot be had in this folder at all; empty while they can. Then take() claims nothing and
    // gives the first `count` cores.
    const std::string& obstacle() const { return obstacle_; }

private:
    int locked(int core);  // an open file with its lock, or -1
    void release_from(std::size_t first);

    std::filesystem::path folder_;
    std::vector<int> files_;  // open and locked
    std::string obstacle_;
};

}  // namespace hacscale::host
