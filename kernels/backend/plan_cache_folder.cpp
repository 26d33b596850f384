#include "kernels/backend/plan_cache_folder.hpp"

#include <cstdlib>

#include "kernels/backend/private_folder.hpp"

namespace hacscale {

std::filesystem::path plan_cache_folder() {
    if (const char* chosen = std::getenv("HACSCALE_PLAN_CACHE")) return chosen;
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
        return std::filesystem::path(cache) / "hacscale";
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
        return std::filesystem::path(home) / ".cache" / "hacscale";
    }
    return {};
}

std::string plan_cache_obstacle(const std::string& file) {
    const std::filesystem::path folder = plan_cache_folder();
    const std::string consequence =
        ": the next process may choose others; HACSCALE_PLAN_CACHE names a folder for them";
    if (folder.empty()) {
        const bool wanted = std::getenv("HACSCALE_PLAN_CACHE") == nullptr;
        return wanted ? "which kernel runs a layer is not kept, because there is no home" + consequence : "";
    }
    const std::string obstacle = PrivateFolder(folder, PrivateFolder::IfAbsent::make).obstacle(file);
    return obstacle.empty() ? ""
                            : "which kernel runs a layer cannot be kept in " + (folder / file).string() +
                                  " (" + obstacle + ")" + consequence;
}

}  // namespace hacscale
