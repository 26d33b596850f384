// The files of a folder of images, train/CLASS/*.JPEG and val/CLASS/*.JPEG, with their classes, sums and sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "training/resample.hpp"

namespace hacscale::detail {

constexpr const char* whole_copy_advice =
    "get a whole copy of the data, or make SHA256SUMS again if the change was meant";

struct ImageFile {
    std::string path;  // from the data set's folder
    std::uint16_t label = 0;
    std::string sha256{};  // empty where the folder has no sums, until add_sums()
    ImageSize size{};      // after add_sizes()
};

// By class, in the order of the classes' names, and by name.
struct ImageListing {
    std::vector<ImageFile> train, val;
    int classes = 0;
    bool has_sums = false;  // of its own
};

// Throws InputError, with what to do, for folders that are not of this form, for anything but JPEG files in them, and
// where SHA256SUMS names other files than those that are there. Hidden files are passed over.
ImageListing list_images(const std::filesystem::path& folder);

// Where the folder has no sums: reads every file.
void add_sums(ImageListing& listing, const std::filesystem::path& folder);
// Reads the beginning of every file. Throws InputError for one that is no JPEG image.
void add_sizes(ImageListing& listing, const std::filesystem::path& folder);

// Of all files and the split, the same whether the sums come from SHA256SUMS or from the files.
std::string hash_of(const ImageListing& listing);

}  // namespace hacscale::detail
