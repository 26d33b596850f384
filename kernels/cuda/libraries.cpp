#include "kernels/cuda/libraries.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/trust.hpp"

namespace hacscale::cuda {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::vector<fs::path> split(const std::string& folders) {
    std::vector<fs::path> result;
    std::istringstream in(folders);
    for (std::string folder; std::getline(in, folder, ':');) {
        if (!folder.empty()) result.emplace_back(folder);
    }
    return result;
}

// Folders in `parent` whose names begin with `prefix`, the highest version first: "cuda-13.1" before
// "cuda-9.2" before "cuda".
std::vector<fs::path> folders_named(const fs::path& parent, std::string_view prefix) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) {
        if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
        return strverscmp(a.c_str(), b.c_str()) > 0;  // runs of digits as numbers
    });
    return found;
}

void add_python_packages(const fs::path& prefix, std::vector<fs::path>& folders) {
    for (const fs::path& python : folders_named(prefix / "lib", "python3")) {
        for (const char* packages : {"site-packages", "dist-packages"}) {
            for (const char* library : {"cudnn", "cu13", "cuda_cupti"}) {
                folders.push_back(python / packages / "nvidia" / library / "lib");
            }
        }
    }
}

// The prefixes of the interpreter that `python3` starts: of the link on the PATH, which is the virtual
// environment's, and of the file behind it.
std::vector<fs::path> python_prefixes() {
    std::error_code error;
    for (const fs::path& folder : split(variable("PATH"))) {
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

// Opens the first of the files that are there; `failures` gathers why one could not be opened.
void* open_first(const std::vector<fs::path>& folders, std::string_view file_name, std::string& failures) {
    std::error_code error;
    for (const fs::path& folder : folders) {
        const fs::path file = folder / file_name;
        if (!fs::exists(file, error)) continue;
        if (void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
        failures += (failures.empty() ? "" : "; ") + last_error();
    }
    return nullptr;
}

}  // namespace

void* Library::symbol(const char* name) const {
    return handle == nullptr ? nullptr : dlsym(handle, name);
}

std::vector<fs::path> library_folders() {
    std::vector<fs::path> folders = split(variable("HACSCALE_CUDA_LIBS"));
    for (const fs::path& toolkit : folders_named("/usr/local", "cuda")) {
        for (const char* inside : {"lib64", "lib", "extras/CUPTI/lib64"}) folders.push_back(toolkit / inside);
    }
    if (const std::string environment = variable("VIRTUAL_ENV"); !environment.empty()) {
        add_python_packages(environment, folders);
    }
    for (const fs::path& prefix : python_prefixes()) add_python_packages(prefix, folders);
    if (const std::string home = variable("HOME"); !home.empty()) {
        add_python_packages(fs::path(home) / ".local", folders);
    }
    std::error_code error;
    std::vector<fs::path> result;
    for (fs::path& folder : folders) {
        const bool known = std::find(result.begin(), result.end(), folder) != result.end();
        if (!known && fs::is_directory(folder, error)) result.push_back(std::move(folder));
    }
    return code_folders(result);
}

Library open_library(std::string_view file_name, std::string_view advice) {
    Library library;
    std::string failures;
    library.handle = open_first(code_folders(split(variable("HACSCALE_CUDA_LIBS"))), file_name, failures);
    const std::string name(file_name);
    if (library.handle == nullptr) library.handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    const std::string loader_error = library.handle == nullptr ? last_error() : std::string();
    if (library.handle == nullptr) library.handle = open_first(library_folders(), file_name, failures);
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
    library.reason = name +
                     " was not found in the system's library paths, LD_LIBRARY_PATH, HACSCALE_CUDA_LIBS, "
                     "the CUDA toolkit or the Python packages; " +
                     std::string(advice);
    return library;
}

}  // namespace hacscale::cuda
