// Finds and opens NVIDIA's libraries at run time, so that the program starts, and explains itself, where they
// are not. No CUDA header is needed here.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/host/library_search.hpp"

namespace hacscale::cuda {

using host::Library;

// Where libraries may be besides the loader's own paths, first ones first: $HACSCALE_CUDA_LIBS (folders
// separated by colons), the toolkit's folders (/usr/local/cuda*/lib64 and lib, extras/CUPTI/lib64), and the
// folders of the Python packages nvidia-cudnn-cu13 (nvidia/cudnn/lib) and nvidia-cuda-cupti (nvidia/cu13/lib,
// nvidia/cuda_cupti/lib) in the site-packages of the virtual environment, of python3 on the PATH, and of the
// user. Within each place, the highest version comes first. For root, without those that others may write to
// (base/trust.hpp).
std::vector<std::filesystem::path> library_folders();

// Tries $HACSCALE_CUDA_LIBS first, then the loader's own search (LD_LIBRARY_PATH, ld.so's cache), then the
// other folders. `file_name` is a soname, "libcudnn.so.9"; `advice` says how to get it, and ends the reason.
Library open_library(std::string_view file_name, std::string_view advice);

// 13000 -> "13.0"
inline std::string cuda_version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace hacscale::cuda
