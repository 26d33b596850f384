// CIFAR-10 in its binary form: six files of records, each a label byte and three planes of 32x32 bytes (red,
// green, blue). Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
#pragma once

#include <filesystem>
#include <string>

#include "training/images.hpp"

namespace hacscale {

struct Cifar10 {
    ImageSet train;               // 45,000
    ImageSet validation;          // 5,000 of the training files, 500 a class, for every choice that is made
    ImageSet test;                // 10,000, asked once at the end
    Normalization normalization;  // of `train`
    std::string hash;             // of the files' contents and the split
    bool official = true;         // false: the folder has sums of its own, see load_cifar10
};

// Which images are for validation never changes: a tenth of each class, drawn with this seed.
constexpr std::uint64_t validation_split_seed = 20220117;

// Reads and checks all six files (180 MB, under a second). Every file must have the SHA-256 of the published
// data set; a folder with a file SHA256SUMS (as sha256sum writes it) is held to those sums instead, and may
// have fewer images: its hash, and so its records, differ from CIFAR-10's. Throws MissingError when there is
// no such folder, InputError for a missing, short or altered file; both say that scripts/get-data gets the
// data.
Cifar10 load_cifar10(const std::filesystem::path& folder);

// The hash alone, from sums that the files are held to; nothing but SHA256SUMS is read.
std::string cifar10_hash(const std::filesystem::path& folder);

}  // namespace hacscale
