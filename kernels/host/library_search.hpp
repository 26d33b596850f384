// Finds and opens libraries of others at run time (cuDNN, CUPTI, ONNX Runtime, OpenVINO), so that the program starts, and
// explains itself, where they are not.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hacscale::host {

// An opened library, or why there is none. Never closed: libraries with threads of their own do not survive it.
struct Library {
    void* handle = nullptr;
    std::filesystem::path path;  // the file that was opened
    std::string reason;          // when there is none: what was looked for and how to get it

    // Null when the library lacks it.
    void* symbol(const char* name) const;
};

// Where a library may be besides the loader's own paths.
struct LibraryPlaces {
    const char* variable = "";  // of the environment: folders separated by colons
    std::vector<std::filesystem::path> system{};
    std::vector<std::string> packages{};  // below site-packages, "nvidia/cudnn/lib"
    std::string system_words{};           // what `system` is, for messages: "the CUDA toolkit"
};

// Of these, the folders that are there, first ones first: the variable's, the system's, and those of the Python packages in the
// site-packages of the virtual environment, of python3 on the PATH, and of the user. For root, without those that others may
// write to (base/trust.hpp).
std::vector<std::filesystem::path> library_folders(const LibraryPlaces& places);

// Tries the variable's folders first, then the loader's own search (LD_LIBRARY_PATH, ld.so's cache), then the other folders.
// `file_name` is a soname, "libcudnn.so.9"; in folders, one that ends with ".so" also stands for its versions, the highest
// first. `advice` says how to get it, and ends the reason.
Library open_library(const LibraryPlaces& places, std::string_view file_name, std::string_view advice);

// Folders in `parent` whose names begin with `prefix`, the highest version first: "cuda-13.1" before "cuda-9.2" before "cuda".
std::vector<std::filesystem::path> folders_named(const std::filesystem::path& parent,
                                                 std::string_view prefix);

}  // namespace hacscale::host
