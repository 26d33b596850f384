// The GPU profiles that come with the project, as text.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace hacscale::cuda {

inline constexpr std::array shipped_profile_names{"t4", "a100", "rtx4090", "h200", "rtx5090"};

inline std::string shipped_profile(const std::string& name) {
    const auto folder = std::filesystem::path(HACSCALE_SOURCE_DIR) / "kernels" / "cuda" / "profiles";
    std::ifstream in(folder / (name + ".json"), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace hacscale::cuda
