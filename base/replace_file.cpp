#include "base/replace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/error.hpp"

namespace hacscale {
namespace {

bool make_empty(const std::filesystem::path& file) {
    ::unlink(file.c_str());
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor < 0) return false;
    ::close(descriptor);
    return true;
}

}  // namespace

bool bring_to_disk(const std::filesystem::path& file) {
    const int descriptor = ::open(file.empty() ? "." : file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    errno = error;
    return done;
}

void replace_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write,
                  Survives survives) {
    std::filesystem::path unfinished = file;
    unfinished += ".part";
    std::error_code error;
    errno = 0;
    if (make_empty(unfinished)) {
        std::ofstream stream(unfinished, std::ios::binary | std::ios::trunc);
        write(stream);
        stream.close();
        if (stream && (survives == Survives::kill || bring_to_disk(unfinished))) {
            std::filesystem::rename(unfinished, file, error);
            if (!error) return;
        } else {
            error.assign(errno, std::generic_category());
        }
        std::error_code ignored;
        std::filesystem::remove(unfinished, ignored);
    } else {
        error.assign(errno, std::generic_category());
    }
    throw WorkError(fmt::format("{}: cannot be written ({}); make room or choose another folder",
                                file.string(), error.message()));
}

}  // namespace hacscale
