#include "training/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "models/formats/model_yaml.hpp"

namespace hacscale {
RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed,
               const std::string& data_hash) {
    return {model.name, model_hash(model), recipe.name, recipe_hash(recipe), seed, data_hash};
}

// Names are for people; the hash at the end tells apart what has the same name.
std::string folder_name(const RunKey& key) {
    const std::string identity =
        fmt::format("{} {} {} {}", key.model_hash, key.recipe_hash, key.seed, key.data_hash);
    std::string name = fmt::format("{}.{}.seed{}.{}", key.model, key.recipe, key.seed, hex_hash(identity));
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
}

// ---- The lock ----

namespace {

std::filesystem::path lock_file(const std::filesystem::path& run_folder) {
    return run_folder / "run.lock";
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unnamed host";
}

}  // namespace

// The file stays when the lock is released: were it removed, two processes could hold locks on two files of
// one name.
std::optional<RunLock> RunLock::try_lock(const std::filesystem::path& run_folder) {
    std::error_code error;
    std::filesystem::create_directories(run_folder, error);
    const std::filesystem::path file = lock_file(run_folder);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) {
        throw WorkError(fmt::format("{}: cannot be written: {}; choose a folder for checkpoints that can be",
                                    file.string(), std::strerror(errno)));
    }
    RunLock lock(descriptor);
    int result = 0;
    do {
        result = ::flock(descriptor, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        throw WorkError(fmt::format("{}: cannot be locked: {}; choose a file system with file locks",
                                    file.string(), std::strerror(errno)));
    }
    // The text only serves messages; on a full disk the lock holds without it.
    const std::string text = fmt::format("process {} on {}\n", ::getpid(), host_name());
    [[maybe_unused]] const bool written =
        ::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, text.data(), text.size(), 0) > 0;
    return lock;
}

std::string RunLock::holder(const std::filesystem::path& run_folder) {
    std::ifstream stream(lock_file(run_folder));
    std::string text;
    return std::getline(stream, text) && !text.empty() ? text : "another process";
}

RunLock::~RunLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

RunLock::RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace hacscale
