// Which of several kernels runs a layer, and in which layout a network runs faster here: the candidates are timed once
// on this device, and the choice is remembered in the user's cache folder, so that every later run of the same layer,
// in this or another process, is the same program.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kernels/backend/backend.hpp"
#include "kernels/backend/private_folder.hpp"

namespace hacscale::cpu {

struct PlanCandidate {
    std::string name;
    std::function<void()> prepare;  // brings the caches into the state to choose for; not timed
    std::function<void()> run;
};

// Index of the fastest candidate. Candidates come in the library's order of preference; one further back is
// taken only if it is more than 3 % faster. Rounds over all candidates interleave, so that drift does not
// decide. `clock` tells microseconds.
std::size_t fastest(const std::vector<PlanCandidate>& candidates,
                    const std::function<double()>& clock = now_us);

// Its name in plan_cache_folder().
std::string plan_cache_file(const std::string& fingerprint);

// The choices made so far: a text file of "key<TAB>name" lines, appended to. A file that cannot be read or
// written, or that others could have written (private_folder.hpp), is only a cache lost; damaged lines are passed
// over.
class PlanCache {
public:
    // One for the process, for the device with this fingerprint:
    // plans-FINGERPRINT.txt in plan_cache_folder(), which may turn the file off.
    static PlanCache& instance(const std::string& fingerprint);

    explicit PlanCache(const std::filesystem::path& file,
                       PrivateFolder::IfAbsent absent = PrivateFolder::IfAbsent::leave);
    std::optional<std::string> find(const std::string& key) const;
    void remember(const std::string& key, const std::string& name);

private:
    std::unique_ptr<PrivateFolder> folder_;  // null when nothing is kept on disk
    std::string file_;                       // its name in there
    std::map<std::string, std::string> names_;
};

// Whether every layer of the network has a kernel for blocked tensors that was made for processors like this
// one.
bool may_be_blocked(const Graph& network);

// Channels-last unless the blocked layout is more than 3 % faster. What may not be blocked, cannot be
// compiled, or leaves more convs to a reference kernel than the other layout, is no candidate. The layouts that the network's layers name do not matter.
Layout fastest_layout(const Graph& network, const CompileOptions& options);

}  // namespace hacscale::cpu
