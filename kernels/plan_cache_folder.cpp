#include "kernels/plan_cache_folder.hpp"

#include <cstdlib>

namespace hacscale {

std::filesystem::path plan_cache_folder() {
    if (const char* chosen = std::getenv("HACSCALE_PLAN_CACHE")) return chosen;
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
        return std::filesystem::path(cache) / "hacscale";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::filesystem::path(home) / ".cache" / "hacscale";
    return {};
}

}  // namespace hacscale
