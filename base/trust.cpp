#include "base/trust.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <mutex>
#include <set>

namespace hacscale {
namespace {

void tell_once(const std::string& text) {
    static std::mutex mutex;
    static std::set<std::string> told;
    const std::lock_guard lock(mutex);
    if (told.insert(text).second) std::cerr << "warning: " + text + "\n";
}

}  // namespace

std::string distrust(const std::string& path, unsigned owner, unsigned mode, unsigned user) {
    if (owner != 0 && owner != user) {
        return fmt::format("{} is not used: it belongs to user {}, and this program runs as user {}", path,
                           owner, user);
    }
    if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format("{} is not used: others may write to it; 'chmod go-w {}' changes that", path,
                           path);
    }
    return {};
}

ProcessUser process_user() {
    return {::getuid(), ::geteuid()};
}

std::string code_distrust(const std::filesystem::path& folder, const ProcessUser& user) {
    if (user.effective != 0 && user.effective == user.real) return {};
    struct stat status {};
    // What is not there has no code.
    if (::stat(folder.c_str(), &status) != 0) return {};
    return distrust(folder.string(), status.st_uid, status.st_mode, 0);
}

std::vector<std::filesystem::path> code_folders(const std::vector<std::filesystem::path>& folders,
                                                const ProcessUser& user) {
    std::vector<std::filesystem::path> trusted;
    for (const std::filesystem::path& folder : folders) {
        const std::string reason = code_distrust(folder, user);
        if (reason.empty()) {
            trusted.push_back(folder);
        } else {
            tell_once("no code is loaded from a folder that others than root could have written: " + reason);
        }
    }
    return trusted;
}

}  // namespace hacscale
