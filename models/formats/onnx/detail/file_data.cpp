#include "models/formats/onnx/detail/file_data.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }

private:
    int number_;
};

class Mapping {
public:
    Mapping(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {}
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { ::munmap(address_, bytes_); }

private:
    void* address_;
    std::size_t bytes_;
};

[[noreturn]] void refuse_errno(const std::string& attempt) {
    throw InputError(attempt + ": " + std::generic_category().message(errno));
}

bool is_below(const std::filesystem::path& file, const std::filesystem::path& folder) {
    const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
    return end == folder.end() && rest != file.end();
}

}  // namespace

Bytes mapped_file(const std::filesystem::path& file, std::uint64_t max_bytes) {
    // A named pipe without a writer would block open() without O_NONBLOCK.
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (descriptor.number() < 0) {
        refuse_errno("the file cannot be opened");
    }
    struct stat status {};
    if (::fstat(descriptor.number(), &status) != 0) {
        refuse_errno("the file cannot be read");
    }
    if (!S_ISREG(status.st_mode)) {
        throw InputError("this is no regular file");
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes > max_bytes) {
        throw InputError("the file has " + std::to_string(bytes) + " bytes, expected at most " +
                         std::to_string(max_bytes) +
                         "; larger models keep their weights in files of external data");
    }
    if (bytes == 0) {
        return {};
    }
    void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor.number(), 0);
    if (address == MAP_FAILED) {
        refuse_errno("the file cannot be read");
    }
    auto mapping = std::make_shared<const Mapping>(address, bytes);
    return {std::move(mapping), {static_cast<const char*>(address), bytes}};
}

Bytes ExternalFiles::part(const ExternalPart& part) {
    const Bytes& whole = file(part.location);
    if (part.offset > whole.size() || part.bytes > whole.size() - part.offset) {
        throw InputError("its external data needs bytes " + std::to_string(part.offset) + " to " +
                         std::to_string(part.offset + part.bytes) + " of \"" + readable(part.location) +
                         "\", which has " + std::to_string(whole.size()));
    }
    return whole.part(whole.view().substr(part.offset, part.bytes));
}

const Bytes& ExternalFiles::file(const std::string& location) {
    const auto known = files_.find(location);
    if (known != files_.end()) {
        return known->second;
    }
    const std::string name = "\"" + readable(location) + "\"";
    if (folder_.empty()) {
        throw InputError("its numbers are in the file " + name +
                         ", but this model is not read from a folder");
    }
    const std::filesystem::path relative(location);
    const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
    if (location.empty() || relative.is_absolute() || climbs || location.find('\0') != std::string::npos) {
        throw InputError("its external data is in " + name + ", expected a file in the folder of the model");
    }
    std::error_code problem;
    const std::filesystem::path folder = std::filesystem::canonical(folder_, problem);
    const std::filesystem::path target =
        problem ? folder : std::filesystem::canonical(folder / relative, problem);
    if (problem) {
        throw InputError("its external data " + name + " cannot be found: " + problem.message());
    }
    if (!is_below(target, folder)) {
        throw InputError("its external data " + name +
                         " leads out of the folder of the model by a symbolic link");
    }
    try {
        constexpr std::uint64_t max_bytes = std::uint64_t{1} << 40;
        return files_.emplace(location, mapped_file(target, max_bytes)).first->second;
    } catch (const InputError& error) {
        throw InputError("its external data " + name + ": " + error.what());
    }
}

}  // namespace hacscale::onnx::detail
