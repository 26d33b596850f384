#include "training/image_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "training/data_reader.hpp"
#include "training/jpeg.hpp"
#include "training/sha256.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_classes = 65'536;
// The header of an image is in these, unless long texts come before it.
constexpr std::size_t first_bytes = 16 * 1024;

bool is_jpeg(const fs::path& file) {
    std::string ending = file.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return ending == ".jpeg" || ending == ".jpg";
}

bool is_hidden(const fs::path& file) {
    return file.filename().string().starts_with(".");
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (!is_hidden(entry->path())) entries.push_back(entry->path());
    }
    if (error) {
        throw InputError(fmt::format("{}: the folder cannot be read: {}", folder.string(), error.message()));
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

std::vector<std::string> classes_of(const fs::path& part) {
    std::vector<std::string> classes;
    std::error_code error;
    for (const fs::path& entry : sorted_entries(part)) {
        if (fs::is_directory(entry, error)) {
            classes.push_back(entry.filename().string());
            continue;
        }
        throw InputError(
            fmt::format("{}: expected a folder for each class, found the file {}; put the images into "
                        "folders that are named as the "
                        "classes, as ImageFolder reads them (for ImageNet's val/, valprep.sh of PyTorch's "
                        "examples does it)",
                        part.string(), entry.filename().string()));
    }
    if (classes.empty() || classes.size() > max_classes) {
        throw InputError(fmt::format("{}: expected folders of 1 to {} classes, found {}", part.string(),
                                     max_classes, classes.size()));
    }
    return classes;
}

void require_same_classes(const fs::path& folder, const std::vector<std::string>& train,
                          const std::vector<std::string>& val) {
    for (const auto& [has, lacks, first, second] :
         {std::tuple(&train, &val, "train", "val"), std::tuple(&val, &train, "val", "train")}) {
        for (const std::string& name : *has) {
            if (std::binary_search(lacks->begin(), lacks->end(), name)) continue;
            throw InputError(
                fmt::format("{0}: {1}/{3} has no folder of its name in {2}/; both need the same classes",
                            folder.string(), first, second, name));
        }
    }
}

// The images of train/ or val/, by class and name.
std::vector<ImageFile> files_of(const fs::path& folder, const std::string& part,
                                const std::vector<std::string>& classes) {
    std::vector<ImageFile> files;
    std::error_code error;
    for (std::size_t label = 0; label < classes.size(); ++label) {
        const std::size_t before = files.size();
        for (const fs::path& entry : sorted_entries(folder / part / classes[label])) {
            if (!is_jpeg(entry) || !fs::is_regular_file(entry, error)) {
                throw InputError(
                    fmt::format("{}: expected a JPEG file (.jpg, .jpeg), found something else; convert it, "
                                "or take it out of the "
                                "folder",
                                entry.string()));
            }
            files.push_back({part + "/" + classes[label] + "/" + entry.filename().string(),
                             static_cast<std::uint16_t>(label),
                             {},
                             {}});
        }
        if (files.size() == before) {
            throw InputError(fmt::format("{}: expected images of this class, found none",
                                         (folder / part / classes[label]).string()));
        }
    }
    return files;
}

void take_sums(std::vector<ImageFile>& files, FileSums& sums, const fs::path& folder) {
    for (ImageFile& file : files) {
        const auto found = sums.find(file.path);
        if (found == sums.end()) {
            throw InputError(fmt::format("{}: expected a line for {}; {}", (folder / "SHA256SUMS").string(),
                                         file.path, whole_copy_advice));
        }
        file.sha256 = found->second;
        sums.erase(found);
    }
}

void for_each_file(ImageListing& listing, const std::function<void(ImageFile&)>& work) {
    for_each_in_parallel(listing.train.size() + listing.val.size(), [&](std::size_t i) {
        work(i < listing.train.size() ? listing.train[i] : listing.val[i - listing.train.size()]);
    });
}

ImageSize size_in(const fs::path& file) {
    std::vector<std::uint8_t> bytes(first_bytes);
    std::ifstream stream(file, std::ios::binary);
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (static_cast<std::size_t>(stream.gcount()) == bytes.size()) {
        try {
            return jpeg_size(bytes, file.string());
        } catch (const InputError&) {
            // Perhaps the header comes later.
        }
    }
    return jpeg_size(read_checked(file, "", whole_copy_advice), file.string());
}

}  // namespace

ImageListing list_images(const fs::path& folder) {
    ImageListing listing;
    for (const char* part : {"train", "val"}) {
        std::error_code error;
        if (fs::is_directory(folder / part, error)) continue;
        throw InputError(
            fmt::format("{}: expected the folders train/ and val/, found no {}/", folder.string(), part));
    }
    const std::vector<std::string> classes = classes_of(folder / "train");
    require_same_classes(folder, classes, classes_of(folder / "val"));
    listing.classes = static_cast<int>(classes.size());
    listing.train = files_of(folder, "train", classes);
    listing.val = files_of(folder, "val", classes);
    std::optional<FileSums> sums = own_sums(folder);
    listing.has_sums = sums.has_value();
    if (!sums) return listing;
    take_sums(listing.train, *sums, folder);
    take_sums(listing.val, *sums, folder);
    for (const auto& [name, sum] : *sums) {
        if (!name.starts_with("train/") && !name.starts_with("val/")) continue;
        throw InputError(fmt::format("{}: expected this file, because SHA256SUMS has its sum, found none; {}",
                                     (folder / name).string(), whole_copy_advice));
    }
    return listing;
}

void add_sums(ImageListing& listing, const fs::path& folder) {
    if (listing.has_sums) return;
    for_each_file(listing, [&](ImageFile& file) {
        file.sha256 = sha256(read_checked(folder / file.path, "", whole_copy_advice));
    });
}

void add_sizes(ImageListing& listing, const fs::path& folder) {
    for_each_file(listing, [&](ImageFile& file) { file.size = size_in(folder / file.path); });
}

std::string hash_of(const ImageListing& listing) {
    std::vector<FileSum> sums;
    sums.reserve(listing.train.size() + listing.val.size());
    for (const auto* files : {&listing.train, &listing.val}) {
        for (const ImageFile& file : *files) sums.push_back({file.path, file.sha256});
    }
    return data_hash(sums);
}

}  // namespace hacscale::detail
