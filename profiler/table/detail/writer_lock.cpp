#include "profiler/table/detail/writer_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/lock_file.hpp"

namespace hacscale::detail {
namespace {

// The lock follows the file, not the name it was reached by.
std::filesystem::path lock_file_of(const std::filesystem::path& table) {
    std::error_code error;
    std::filesystem::path file = std::filesystem::weakly_canonical(table, error);
    if (error) file = table;
    file += ".lock";
    return file;
}

std::string holder(int descriptor) {
    char text[32] = {};
    const ssize_t length = ::pread(descriptor, text, sizeof text - 1, 0);
    const std::string digits(text, length > 0 ? static_cast<std::size_t>(length) : 0);
    const std::string pid = digits.substr(0, digits.find_first_not_of("0123456789"));
    return pid.empty() ? "another process" : "process " + pid;
}

// False when the file was removed, or removed and made again, between opening and locking it.
bool still_named(int descriptor, const std::filesystem::path& file) {
    struct stat opened = {};
    struct stat named = {};
    return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& table) : file_(lock_file_of(table)) {
    for (;;) {
        const int descriptor = open_lock_file(file_);
        if (descriptor < 0) {
            throw WorkError(fmt::format("{}: cannot write beside it: {}; choose a folder that can be written",
                                        table.string(), std::strerror(errno)));
        }
        if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            const std::string who = holder(descriptor);
            ::close(descriptor);
            if (error == EINTR) continue;
            if (error == EWOULDBLOCK) {
                throw WorkError(fmt::format("{} is being written by {}; wait until it is done or end it",
                                            table.string(), who));
            }
            throw WorkError(fmt::format("{}: cannot lock {}: {}; choose a file system with file locks",
                                        table.string(), file_.string(), std::strerror(error)));
        }
        if (still_named(descriptor, file_)) {
            descriptor_ = descriptor;
            break;
        }
        ::close(descriptor);
    }
    // The text only serves messages; on a full disk the lock holds without it.
    const std::string pid = std::to_string(::getpid()) + "\n";
    [[maybe_unused]] const bool written =
        ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, pid.data(), pid.size(), 0) > 0;
}

WriterLock::~WriterLock() {
    if (descriptor_ < 0) return;
    // Removed while it is still held: whoever opened it meanwhile sees in still_named() that it is gone.
    ::unlink(file_.c_str());
    ::close(descriptor_);
}

void refuse_while_written(const std::filesystem::path& table) {
    const int descriptor =
        ::open(lock_file_of(table).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return;
    const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const std::string who = holder(descriptor);
    ::close(descriptor);
    if (held) {
        throw WorkError(
            fmt::format("{} is being written by {}; wait until it is done or end it", table.string(), who));
    }
}

WriterLock::WriterLock(WriterLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace hacscale::detail
