// What readers of data sets share. To add a form of files: a reader, declared here and entered in load_data_set.cpp.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/data_set.hpp"

namespace hacscale::detail {

struct DataReader {
    std::string_view kind;      // that users name it by
    std::string_view files;     // that a folder is known by, in words
    std::string_view get_data;  // as scripts/get-data calls it; empty: it gets none of this form
    bool (*recognizes)(const std::filesystem::path& folder);
    DataForm (*form)(const std::filesystem::path& folder);
    DataSet (*load)(const std::filesystem::path& folder, const DataSettings& settings);
};

extern const DataReader cifar10_reader;
extern const DataReader cifar100_reader;
extern const DataReader image_folder_reader;

// ---- Sums of files ----

using FileSums = std::map<std::string, std::string>;  // by path from the data set's folder

// Of the folder's SHA256SUMS, lines "SUM  NAME" or "SUM *NAME"; nothing where there is no such file.
std::optional<FileSums> own_sums(const std::filesystem::path& folder);

struct FileSum {
    std::string name;
    std::string sha256;
};
// Of the files in this order, and of the split.
std::string data_hash(const std::vector<FileSum>& files);

// The bytes of a file. Throws InputError where it cannot be read, and where `sum` is given and is not theirs.
std::vector<std::uint8_t> read_checked(const std::filesystem::path& file, const std::string& sum,
                                       std::string_view advice);

// ---- The split ----

// True for the images of the validation set: a tenth of each class.
std::vector<bool> chosen_for_validation(const std::vector<std::uint16_t>& labels, int classes);

// ---- Work on many files ----

// Calls work(i) for 0..count-1 from several threads. After an exception no further work begins; that of the lowest i is
// thrown, so that the same file is named each time.
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace hacscale::detail
