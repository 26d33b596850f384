// Data sets from their folders, and networks as they are trained on them. Each form of files has a reader (data_reader.hpp).
#pragma once

#include <filesystem>
#include <string>

#include "models/stages/model_spec.hpp"
#include "training/data_set.hpp"

namespace hacscale {

// `data` is a folder, or KIND:FOLDER with KIND cifar10, cifar100 or images; without it the folder's files say what it
// is. Throws MissingError when there is no such folder, InputError for one whose form is not known. With a file SHA256SUMS
// (as sha256sum writes it) the hash is of its sums, and no image is read; else a folder of images is read whole.
DataForm data_form(const std::filesystem::path& data);

// Reads and checks all files, CIFAR's 180 MB in under a second. A CIFAR file must have the SHA-256 of the published data set;
// in a folder with SHA256SUMS each file must have the sum there, and CIFAR may have fewer images: the hash, and so the records, differ
// from the published set's. Throws as data_form(), and InputError for a missing, short or altered file, an image that cannot be decoded,
// and images that all are smaller than the network's.
DataSet load_data_set(const std::filesystem::path& data, const DataSettings& settings);

// As `data` of a file in `folder`: a relative path is one from there, whatever kind stands before it.
std::filesystem::path data_from_folder(const std::string& data, const std::filesystem::path& folder);

// The network as it is trained on a data set: with_classes() of the data. Throws InputError as that does, and for a network that reads
// other images.
ModelSpec fitted_to(const ModelSpec& model, const DataForm& form);

}  // namespace hacscale
