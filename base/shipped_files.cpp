#include "base/shipped_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace hacscale {

namespace fs = std::filesystem;

fs::path shipped_folder(const char* variable, const std::string& name, const fs::path& in_sources) {
    if (const char* chosen = std::getenv(variable); chosen != nullptr && *chosen != '\0') {
        return chosen;
    }
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        fs::path installed = (program.parent_path() / "../share/hacscale" / name).lexically_normal();
        if (fs::is_directory(installed, error)) return installed;
    }
    return in_sources;
}

std::vector<std::string> shipped_names(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace hacscale
