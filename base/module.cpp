#include "base/module.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <system_error>

#include "base/trust.hpp"

namespace hacscale {

std::vector<std::filesystem::path> module_folders(const char* variable, const std::string& name) {
    if (const char* chosen = std::getenv(variable); chosen != nullptr && *chosen != '\0') {
        if (auto trusted = code_folders({chosen}); !trusted.empty()) return trusted;
    }
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    return {program / name, program / ".." / name, program / ".." / "lib" / "hacscale" / name};
}

namespace detail {

namespace {

std::string last_dl_error() {
    const char* text = dlerror();
    return text != nullptr ? text : "unknown error";
}

}  // namespace

ModuleEntry module_entry(const std::filesystem::path& file, const char* entry_name) {
    void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) return {nullptr, "open", last_dl_error()};
    void* function = dlsym(handle, entry_name);
    if (function == nullptr) return {nullptr, "entry", last_dl_error()};
    return {function, "create", ""};
}

std::string wrong_abi(long found, long expected) {
    return "it was built for interface version " + std::to_string(found) + ", this program has " +
           std::to_string(expected) + "; install both from one build";
}

}  // namespace detail

}  // namespace hacscale
