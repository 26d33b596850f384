// A data set of JPEG files: FOLDER/train/CLASS/*.JPEG and FOLDER/val/CLASS/*.JPEG, as ImageNet's and PyTorch's ImageFolder.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.hpp"
#include "training/data_reader.hpp"
#include "training/image_files.hpp"
#include "training/jpeg.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

// Normalization is over at most this many training images, evenly spread over the set, whether they fit into memory or not.
constexpr std::size_t max_normalized = 10'000;

std::string name_of(const fs::path& folder) {
    const fs::path whole = fs::absolute(folder).lexically_normal();
    return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

// ---- Images in memory, and images that are decoded when they are needed ----

std::size_t bytes_of(ImageSize size) {
    return 3 * static_cast<std::size_t>(size.height) * size.width;
}

class DecodedPictures : public Pictures {
public:
    DecodedPictures(const fs::path& folder, const std::vector<ImageFile>& files) {
        std::size_t end = 0;
        for (const ImageFile& file : files) {
            sizes_.push_back(file.size);
            begins_.push_back(end);
            end += bytes_of(file.size);
        }
        pixels_.resize(end);
        for_each_in_parallel(files.size(), [&](std::size_t i) {
            thread_local std::vector<std::uint8_t> memory;
            const fs::path file = folder / files[i].path;
            const ImageSize size =
                decode_jpeg(read_checked(file, files[i].sha256, whole_copy_advice), file.string(), memory);
            // Memory was laid out by the sizes that were read before.
            if (size != sizes_[i]) {
                throw InputError(fmt::format("{}: the file changed while it was read; run the command again",
                                             file.string()));
            }
            std::copy(memory.begin(), memory.end(),
                      pixels_.begin() + static_cast<std::ptrdiff_t>(begins_[i]));
        });
    }

    Picture picture(int index, std::vector<std::uint8_t>&) const override {
        const auto i = static_cast<std::size_t>(index);
        return {sizes_[i], pixels_.data() + begins_[i]};
    }
    std::vector<std::uint8_t> take_pixels() { return std::move(pixels_); }

private:
    std::vector<ImageSize> sizes_;
    std::vector<std::size_t> begins_;
    std::vector<std::uint8_t> pixels_;
};

class PictureFiles : public Pictures {
public:
    PictureFiles(fs::path folder, std::vector<ImageFile> files)
        : folder_(std::move(folder)), files_(std::move(files)) {}

    Picture picture(int index, std::vector<std::uint8_t>& memory) const override {
        const ImageFile& file = files_[static_cast<std::size_t>(index)];
        const fs::path path = folder_ / file.path;
        const ImageSize size =
            decode_jpeg(read_checked(path, file.sha256, whole_copy_advice), path.string(), memory);
        return {size, memory.data()};
    }

private:
    const fs::path folder_;
    const std::vector<ImageFile> files_;
};

// ---- Loading ----

Normalization normalization_over(const ImageSet& images) {
    const auto count = static_cast<std::size_t>(images.count());
    const std::size_t taken = std::min(count, max_normalized);
    ByteCounts all;
    std::mutex mutex;
    for_each_in_parallel(taken, [&](std::size_t i) {
        thread_local std::vector<std::uint8_t> memory;
        ByteCounts counts;
        counts.add(images.picture(static_cast<int>(i * count / taken), memory));
        const std::lock_guard lock(mutex);
        all.add(counts);
    });
    return all.normalization();
}

struct Storage {
    fs::path folder;
    DataSettings settings;
    int classes = 0;
    bool in_memory = false;
    bool all_of_this_size = false;
};

ImageSet set_of(const Storage& storage, std::vector<ImageFile> files) {
    ImageSet set;
    set.height = storage.settings.size.height;
    set.width = storage.settings.size.width;
    set.classes = storage.classes;
    set.all_of_this_size = storage.all_of_this_size;
    for (const ImageFile& file : files) set.labels.push_back(file.label);
    if (!storage.in_memory) {
        set.pictures = std::make_shared<PictureFiles>(storage.folder, std::move(files));
        return set;
    }
    auto decoded = std::make_shared<DecodedPictures>(storage.folder, files);
    if (set.all_of_this_size) {
        set.pixels = decoded->take_pixels();
    } else {
        set.pictures = decoded;
    }
    return set;
}

// Where every image would have to be enlarged, a larger input sees no more of it.
void require_large_enough(const fs::path& folder, const std::vector<ImageFile>& files, ImageSize wanted) {
    int largest = 0;
    for (const ImageFile& file : files) {
        if (file.size.height >= wanted.height && file.size.width >= wanted.width) return;
        largest = std::max(largest, std::min(file.size.height, file.size.width));
    }
    throw InputError(fmt::format(
        "{0}: every image is smaller than the {1} x {2} pixels that the network reads, and enlarging them "
        "shows it no more; "
        "give --resolution {3} to train it on images of {3} x {3} pixels, or a model with such an input",
        folder.string(), wanted.width, wanted.height, largest));
}

DataForm listed_form(const fs::path& folder) {
    ImageListing listing = list_images(folder);
    add_sums(listing, folder);
    return {name_of(folder), listing.classes, hash_of(listing), std::nullopt};
}

DataSet load_folder(const fs::path& folder, const DataSettings& settings) {
    ImageListing listing = list_images(folder);
    add_sums(listing, folder);
    add_sizes(listing, folder);
    require_large_enough(folder, listing.train, settings.size);
    DataSet data;
    data.name = name_of(folder);
    data.hash = hash_of(listing);
    std::vector<std::uint16_t> labels;
    for (const ImageFile& file : listing.train) labels.push_back(file.label);
    const std::vector<bool> chosen = chosen_for_validation(labels, listing.classes);
    Storage storage{folder, settings, listing.classes, false, true};
    std::uintmax_t bytes = 0;
    for (const auto* files : {&listing.train, &listing.val}) {
        for (const ImageFile& file : *files) {
            bytes += bytes_of(file.size);
            storage.all_of_this_size = storage.all_of_this_size && file.size == settings.size;
        }
    }
    storage.in_memory = bytes <= static_cast<std::uintmax_t>(settings.memory_bytes);
    std::vector<ImageFile> train, validation;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        (chosen[i] ? validation : train).push_back(std::move(listing.train[i]));
    }
    if (validation.empty()) {
        throw InputError(
            fmt::format("{}: expected a class with at least 10 images, because a tenth of each is for "
                        "validation, found none",
                        (folder / "train").string()));
    }
    data.train = set_of(storage, std::move(train));
    data.validation = set_of(storage, std::move(validation));
    data.test = set_of(storage, std::move(listing.val));
    data.normalization = normalization_over(data.train);
    return data;
}

bool has_folders(const fs::path& folder) {
    std::error_code error;
    return fs::is_directory(folder / "train", error) || fs::is_directory(folder / "val", error);
}

}  // namespace

const DataReader image_folder_reader{
    "images",   "folders train/ and val/ with JPEG images, a folder a class", "", has_folders, listed_form,
    load_folder};

}  // namespace hacscale::detail
