// Parts of the program that are loaded at run time, because what they need (a driver, cuDNN, libtorch) is not
// on every machine. A module exports one function that returns a description of it; the description begins
// with the version of the interface that it was built for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hacscale {

// $`variable` when it is set, and not to a folder that root must not load code from (base/trust.hpp); else the folders
// beside the program: NAME, ../NAME, ../lib/hacscale/NAME. These are as much to be trusted as the program.
std::vector<std::filesystem::path> module_folders(const char* variable, const std::string& name);

// How far opening a module came.
template <typename Description>
struct OpenedModule {
    const Description* description = nullptr;  // null when it could not be opened
    std::string stage;                         // "open", "entry" or "abi": where it ended; else "create"
    std::string reason;                        // empty unless it ended
};

namespace detail {

struct ModuleEntry {
    void* function = nullptr;  // null when there is none
    std::string stage;
    std::string reason;
};

// The module is never unloaded: libraries under it (OpenMP, CUDA, libtorch) do not survive that.
ModuleEntry module_entry(const std::filesystem::path& file, const char* entry_name);
std::string wrong_abi(long found, long expected);

}  // namespace detail

template <typename Description, typename Version>
OpenedModule<Description> open_module(const std::filesystem::path& file, const char* entry_name,
                                      Version version) {
    const detail::ModuleEntry entry = detail::module_entry(file, entry_name);
    if (entry.function == nullptr) return {nullptr, entry.stage, entry.reason};
    const Description* description = reinterpret_cast<const Description* (*)()>(entry.function)();
    if (description->abi_version != version) {
        return {nullptr, "abi",
                detail::wrong_abi(static_cast<long>(description->abi_version), static_cast<long>(version))};
    }
    return {description, "create", ""};
}

}  // namespace hacscale
