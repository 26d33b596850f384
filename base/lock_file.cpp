#include "base/lock_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace hacscale {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
    throw WorkError(
        fmt::format("{}: is not a regular file, and a lock belongs there; remove it", file.string()));
}

}  // namespace

int open_lock_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (descriptor < 0) {
        if (errno == ELOOP) refuse(file);
        return descriptor;
    }
    struct stat opened = {};
    if (::fstat(descriptor, &opened) == 0 && !S_ISREG(opened.st_mode)) {
        ::close(descriptor);
        refuse(file);
    }
    return descriptor;
}

}  // namespace hacscale
