// The images that networks are trained on, from a folder in one of three forms: CIFAR-10's and CIFAR-100's binary files
// (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009), and folders of JPEG images, one a class,
// as ImageNet's and PyTorch's ImageFolder. load_data_set.hpp reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "training/images.hpp"

namespace hacscale {

// What is known of a data set before an image is decoded.
struct DataForm {
    std::string name;  // "CIFAR-10", or the name of a folder of images
    int classes = 0;
    std::string hash;  // of the files' contents and the split
    // Of every image, where the form of the files says so; nothing: images are resized to what the network reads.
    std::optional<ImageSize> image_size{};
};

struct DataSet {
    std::string name;
    ImageSet train;
    ImageSet validation;  // a tenth of each class of the training images, for every choice that is made
    ImageSet test;        // asked once at the end
    Normalization normalization;  // of `train`
    std::string hash;             // as DataForm's
    bool official = false;        // CIFAR as it was published; false where the folder has sums of its own
};

// Of decoded images that are kept in memory.
constexpr std::int64_t default_image_memory = std::int64_t{4} << 30;

struct DataSettings {
    // That the network reads. CIFAR's images stay as they are: require that the network fits them.
    ImageSize size{32, 32};
    // Images of a folder are decoded once where they need at most this much, else each time they are needed.
    std::int64_t memory_bytes = default_image_memory;
};

// Which images are for validation never changes: a tenth of each class, drawn with this seed.
constexpr std::uint64_t validation_split_seed = 20220117;

}  // namespace hacscale
