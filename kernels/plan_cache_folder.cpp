#include "kernels/plan_cache_folder.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace hacscale {

std::filesystem::path plan_cache_folder() {
    if (const char* chosen = std::getenv("HACSCALE_PLAN_CACHE")) return chosen;
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
        return std::filesystem::path(cache) / "hacscale";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::filesystem::path(home) / ".cache" / "hacscale";
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
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const std::filesystem::path path = folder / file;
    if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0) error = {errno, std::generic_category()};
    if (!error && ::access(path.c_str(), R_OK | W_OK) != 0 && errno != ENOENT) {
        error = {errno, std::generic_category()};
    }
    return error ? "which kernel runs a layer cannot be kept in " + path.string() + " (" + error.message() +
                       ")" + consequence
                 : "";
}

}  // namespace hacscale
