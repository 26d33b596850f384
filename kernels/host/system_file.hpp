// Small files of /proc and /sys.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace hacscale::host {

// Empty where the file is not there or cannot be read.
inline std::string first_line(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

}  // namespace hacscale::host
