// A folder for files that nobody else needs.
#pragma once

#include <filesystem>

namespace hacscale {

// Made in the system's folder for temporary files, for this user alone; it goes with its files when this does.
class ScratchFolder {
public:
    // Throws WorkError where no folder can be made.
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace hacscale
