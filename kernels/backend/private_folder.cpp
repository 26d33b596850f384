#include "kernels/backend/private_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/trust.hpp"

namespace hacscale {
namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr int max_drafts = 100;  // names that a draft is tried under

std::string error_in_words() {
    return std::generic_category().message(errno);
}

class FileHandle {
public:
    explicit FileHandle(int handle) : handle_(handle) {}
    ~FileHandle() {
        if (handle_ >= 0) ::close(handle_);
    }
    FileHandle(const FileHandle&) = delete;
    FileHandle& operator=(const FileHandle&) = delete;
    int get() const { return handle_; }
    explicit operator bool() const { return handle_ >= 0; }

private:
    int handle_;
};

// Of what is open; empty when it may be trusted.
std::string distrust_of(int handle, const std::string& path) {
    struct stat status {};
    if (::fstat(handle, &status) != 0) return path + " is not used (" + error_in_words() + ")";
    return distrust(path, status.st_uid, status.st_mode, ::geteuid());
}

bool write_whole(int handle, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = ::write(handle, text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        done += static_cast<std::size_t>(written);
    }
    return true;
}

// As mkdir -p, but each new folder is its owner's alone.
void make_folders(const std::filesystem::path& path) {
    std::error_code error;
    if (path.empty() || std::filesystem::exists(path, error)) return;
    make_folders(path.parent_path());
    ::mkdir(path.c_str(), folder_mode);
}

}  // namespace

PrivateFolder::PrivateFolder(std::filesystem::path path, IfAbsent absent) : path_(std::move(path)) {
    if (absent == IfAbsent::make) make_folders(path_);
    handle_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle_ < 0) {
        if (errno != ENOENT || absent == IfAbsent::make) {
            distrust_reason_ = path_.string() + " is not used (" + error_in_words() + ")";
        }
        return;
    }
    distrust_reason_ = distrust_of(handle_, path_.string());
    if (distrust_reason_.empty()) return;
    ::close(handle_);
    handle_ = -1;
}

PrivateFolder::~PrivateFolder() {
    if (handle_ >= 0) ::close(handle_);
}

std::optional<std::string> PrivateFolder::read(const std::string& name, std::string& distrust_reason) const {
    if (!usable()) {
        distrust_reason = distrust_reason_;
        return std::nullopt;
    }
    const std::string path = (path_ / name).string();
    // A pipe in a file's place must not hold the program up.
    const FileHandle file(::openat(handle_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) {
        if (errno != ENOENT) distrust_reason = path + " is not used (" + error_in_words() + ")";
        return std::nullopt;
    }
    distrust_reason = distrust_of(file.get(), path);
    if (!distrust_reason.empty()) return std::nullopt;
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::read(file.get(), buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            distrust_reason = path + " is not used (" + error_in_words() + ")";
            return std::nullopt;
        }
        if (count == 0) return text;
        text.append(buffer, static_cast<std::size_t>(count));
    }
}

bool PrivateFolder::replace(const std::string& name, const std::string& text) const {
    if (!usable()) return false;
    static std::atomic<int> drafts{0};
    for (int attempt = 0; attempt < max_drafts; ++attempt) {
        const std::string draft =
            name + "." + std::to_string(::getpid()) + "-" + std::to_string(drafts++) + ".tmp";
        const FileHandle file(::openat(handle_, draft.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode));
        if (!file && errno == EEXIST) continue;  // of a process that was killed, or put there
        if (!file) return false;
        if (write_whole(file.get(), text) && ::renameat(handle_, draft.c_str(), handle_, name.c_str()) == 0) {
            return true;
        }
        ::unlinkat(handle_, draft.c_str(), 0);
        return false;
    }
    return false;
}

bool PrivateFolder::append(const std::string& name, const std::string& text) const {
    if (!usable()) return false;
    const FileHandle file(::openat(handle_, name.c_str(),
                                   O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                                   file_mode));
    return file && distrust_of(file.get(), name).empty() && write_whole(file.get(), text);
}

void PrivateFolder::remove(const std::string& name) const {
    if (usable()) ::unlinkat(handle_, name.c_str(), 0);
}

std::string PrivateFolder::obstacle(const std::string& name) const {
    if (!usable()) return distrust_reason_;
    const std::string path = (path_ / name).string();
    if (::access(path_.c_str(), W_OK | X_OK) != 0) {
        return path_.string() + " cannot be written (" + error_in_words() + ")";
    }
    const FileHandle file(::openat(handle_, name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file) return distrust_of(file.get(), path);
    return errno == ENOENT ? std::string() : path + " is not used (" + error_in_words() + ")";
}

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
