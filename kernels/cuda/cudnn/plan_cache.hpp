// The choices of kernels made so far on one device, in the user's cache folder: a later process rebuilds just
// the plan that won, with no heuristics and no timing.
//
// One small JSON file a layer, batch, data type and state of the L2 cache, in a folder named for the device's
// fingerprint, which includes cuDNN's version. Files are written under another name and renamed, so several
// processes may write at once. A file that cannot be read or written is only a cache lost; a damaged one, and a file
// or folder that others could have written (kernels/backend/private_folder.hpp), is passed over and told of, once a
// process.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kernels/backend/private_folder.hpp"
#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

struct CachedChoice {
    std::string implementation;  // of the winner, as CudaLayer::implementation()
    std::string plan;            // serialized_plan() of it; empty for hand-written kernels
    bool operator==(const CachedChoice&) const = default;
};

class PlanCache {
public:
    using Warn = std::function<void(const std::string&)>;

    // One a device, for the process: $XDG_CACHE_HOME/hacscale/plans-FINGERPRINT, else under ~/.cache.
    // HACSCALE_PLAN_CACHE names another folder than hacscale's; empty keeps nothing on disk. Warnings go to
    // standard error.
    static PlanCache& instance(const std::string& fingerprint);

    // Keeps nothing on disk when the folder is empty.
    PlanCache(std::filesystem::path folder, Warn warn);

    std::optional<CachedChoice> find(const std::string& key);
    void remember(const std::string& key, const CachedChoice& choice);
    // The entry turned out not to fit: says so, with the reason, and drops it.
    void reject(const std::string& key, const std::string& reason);

private:
    std::filesystem::path file_of(const std::string& key) const;
    void warn_once(const std::string& text);
    // Opened when it is first wanted; null where there is none, and with a warning where it is not to be used.
    const PrivateFolder* opened_folder(PrivateFolder::IfAbsent absent);

    std::filesystem::path folder_;
    std::unique_ptr<PrivateFolder> opened_;
    Warn warn_;
    bool warned_ = false;
    std::map<std::string, CachedChoice> choices_;
};

// Layer, batch, data type and the state of the L2 cache as one text.
std::string plan_key(const LayerContext& context);

}  // namespace hacscale::cuda
