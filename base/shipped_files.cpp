#include "base/shipped_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/error.hpp"
#include "base/text/wording.hpp"

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

fs::path shipped_file(const fs::path& folder, const std::string& name_or_file, const std::string& what) {
    if (name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".yaml") ||
        name_or_file.ends_with(".yml")) {
        return name_or_file;
    }
    const std::vector<std::string> names = shipped_names(folder);
    if (std::find(names.begin(), names.end(), name_or_file) == names.end()) {
        throw InputError(fmt::format(
            "there is no {0} '{1:.100}'{2} ({0}s that come with the program: {3}; a file's name ends in "
            ".yaml)",
            what, name_or_file, detail::did_you_mean(name_or_file, names), fmt::join(names, ", ")));
    }
    return folder / (name_or_file + ".yaml");
}

}  // namespace hacscale
