#include "kernels/host/library_search.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/trust.hpp"

namespace hacscale::host {
namespace {

namespace fs = std::filesystem;

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::vector<fs::path> split_folders(const std::string& folders) {
    std::vector<fs::path> result;
    std::istringstream in(folders);
    for (std::string folder; std::getline(in, folder, ':');) {
        if (!folder.empty()) result.emplace_back(folder);
    }
    return result;
}

// The highest version first: runs of digits as numbers.
std::vector<fs::path> entries_named(const fs::path& parent, std::string_view prefix) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) {
        if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(),
              [](const fs::path& a, const fs::path& b) { return strverscmp(a.c_str(), b.c_str()) > 0; });
    return found;
}

void add_python_packages(const fs::path& prefix, const std::vector<std::string>& packages,
                         std::vector<fs::path>& folders) {
    for (const fs::path& python : folders_named(prefix / "lib", "python3")) {
        for (const char* installed : {"site-packages", "dist-packages"}) {
            for (const std::string& package : packages) folders.push_back(python / installed / package);
        }
    }
}

// The prefixes of the interpreter that `python3` starts: of the link on the PATH, which is the virtual
// environment's, and of the file behind it.
std::vector<fs::path> python_prefixes() {
    std::error_code error;
    for (const fs::path& folder : split_folders(environment_variable("PATH"))) {
        const fs::path program = folder / "python3";
        if (!fs::exists(program, error)) continue;
        std::vector<fs::path> prefixes{folder.parent_path()};
        const fs::path real = fs::canonical(program, error);
        if (!error) prefixes.push_back(real.parent_path().parent_path());
        return prefixes;
    }
    return {};
}

std::string last_error() {
    const char* text = dlerror();
    return text == nullptr ? "unknown error" : text;
}

fs::path file_of(void* handle) {
    link_map* map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr || map->l_name == nullptr) return {};
    return map->l_name;
}

// The files of a folder that a name stands for.
std::vector<fs::path> candidates_in(const fs::path& folder, std::string_view file_name) {
    if (file_name.ends_with(".so")) return entries_named(folder, file_name);
    std::error_code error;
    const fs::path file = folder / file_name;
    return fs::exists(file, error) ? std::vector{file} : std::vector<fs::path>{};
}

// Opens the first of the files that are there; `failures` gathers why one could not be opened.
void* open_first(const std::vector<fs::path>& folders, std::string_view file_name, std::string& failures) {
    for (const fs::path& folder : folders) {
        for (const fs::path& file : candidates_in(folder, file_name)) {
            if (void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
            failures += (failures.empty() ? "" : "; ") + last_error();
        }
    }
    return nullptr;
}

}  // namespace

void* Library::symbol(const char* name) const {
    return handle == nullptr ? nullptr : dlsym(handle, name);
}

std::vector<fs::path> folders_named(const fs::path& parent, std::string_view prefix) {
    return entries_named(parent, prefix);
}

std::vector<fs::path> library_folders(const LibraryPlaces& places) {
    std::vector<fs::path> folders = split_folders(environment_variable(places.variable));
    folders.insert(folders.end(), places.system.begin(), places.system.end());
    if (const std::string environment = environment_variable("VIRTUAL_ENV"); !environment.empty()) {
        add_python_packages(environment, places.packages, folders);
    }
    for (const fs::path& prefix : python_prefixes()) add_python_packages(prefix, places.packages, folders);
    if (const std::string home = environment_variable("HOME"); !home.empty()) {
        add_python_packages(fs::path(home) / ".local", places.packages, folders);
    }
    std::error_code error;
    std::vector<fs::path> result;
    for (fs::path& folder : folders) {
        const bool known = std::find(result.begin(), result.end(), folder) != result.end();
        if (!known && fs::is_directory(folder, error)) result.push_back(std::move(folder));
    }
    return code_folders(result);
}

Library open_library(const LibraryPlaces& places, std::string_view file_name, std::string_view advice) {
    Library library;
    std::string failures;
    library.handle =
        open_first(code_folders(split_folders(environment_variable(places.variable))), file_name, failures);
    const std::string name(file_name);
    if (library.handle == nullptr) library.handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    const std::string loader_error = library.handle == nullptr ? last_error() : std::string();
    if (library.handle == nullptr) library.handle = open_first(library_folders(places), file_name, failures);
    if (library.handle != nullptr) {
        library.path = file_of(library.handle);
        return library;
    }
    // The loader's text speaks of the wanted file itself when that is only absent, and that says nothing
    // more.
    const bool absent = loader_error.starts_with(name + ": cannot open shared object file");
    if (!absent) failures += (failures.empty() ? "" : "; ") + loader_error;
    if (!failures.empty()) {
        library.reason = name + " cannot be loaded (" + failures + "); " + std::string(advice);
        return library;
    }
    const std::string system = places.system_words.empty() ? "" : places.system_words + " ";
    library.reason = name + " was not found in the system's library paths, LD_LIBRARY_PATH, " +
                     places.variable + (system.empty() ? " " : ", " + system) + "or the Python packages; " +
                     std::string(advice);
    return library;
}

}  // namespace hacscale::host
