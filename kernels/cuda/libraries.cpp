#include "kernels/cuda/libraries.hpp"

namespace hacscale::cuda {
namespace {

host::LibraryPlaces places() {
    host::LibraryPlaces places;
    places.variable = "HACSCALE_CUDA_LIBS";
    places.system_words = "the CUDA toolkit";
    for (const auto& toolkit : host::folders_named("/usr/local", "cuda")) {
        for (const char* inside : {"lib64", "lib", "extras/CUPTI/lib64"}) {
            places.system.push_back(toolkit / inside);
        }
    }
    places.packages = {"nvidia/cudnn/lib", "nvidia/cu13/lib", "nvidia/cuda_cupti/lib"};
    return places;
}

}  // namespace

std::vector<std::filesystem::path> library_folders() {
    return host::library_folders(places());
}

Library open_library(std::string_view file_name, std::string_view advice) {
    return host::open_library(places(), file_name, advice);
}

}  // namespace hacscale::cuda
