#include "training/cifar10.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "training/random.hpp"
#include "training/sha256.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sums_name = "SHA256SUMS";
constexpr const char* advice = "get the data with 'scripts/get-data cifar10'";
constexpr std::size_t pixel_bytes = 3 * 32 * 32;
constexpr std::size_t record_bytes = 1 + pixel_bytes;
constexpr std::size_t official_records = 10'000;
constexpr std::uintmax_t max_sums_bytes = 64 * 1024;
constexpr std::size_t classes = 10;
constexpr std::size_t training_files = 5;

struct DataFile {
    std::string name;
    std::string sha256;
};
using DataFiles = std::array<DataFile, training_files + 1>;  // the last one has the test images

const DataFiles official_files{{
    {"data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
}};

void require_folder(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        throw MissingError(
            fmt::format("{}: there is no such folder with CIFAR-10; {}", folder.string(), advice));
    }
}

// Lines "SUM  NAME" or "SUM *NAME".
DataFiles read_sums(const fs::path& file) {
    std::error_code error;
    if (const std::uintmax_t size = fs::file_size(file, error); error || size > max_sums_bytes) {
        throw InputError(fmt::format("{}: expected a file of at most {} bytes as sha256sum writes it",
                                     file.string(), max_sums_bytes));
    }
    std::map<std::string, std::string> sums;
    std::ifstream stream(file);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        if (line.empty()) continue;
        const bool well_formed = line.size() > 66 && line.find_first_not_of("0123456789abcdef") == 64 &&
                                 line[64] == ' ' && (line[65] == ' ' || line[65] == '*');
        if (!well_formed) {
            throw InputError(file.string(), number,
                             "expected 64 hexadecimal digits, two spaces and a file's name");
        }
        sums[line.substr(66)] = line.substr(0, 64);
    }
    DataFiles files = official_files;
    for (DataFile& one : files) {
        const auto found = sums.find(one.name);
        if (found == sums.end()) {
            throw InputError(fmt::format("{}: expected a line for {}", file.string(), one.name));
        }
        one.sha256 = found->second;
    }
    return files;
}

bool has_own_sums(const fs::path& folder) {
    std::error_code error;
    return fs::exists(folder / sums_name, error);
}

DataFiles expected_files(const fs::path& folder) {
    return has_own_sums(folder) ? read_sums(folder / sums_name) : official_files;
}

std::string hash_of(const DataFiles& files) {
    std::string text = fmt::format("validation_split_seed={}\n", validation_split_seed);
    for (const DataFile& file : files) text += file.sha256 + "  " + file.name + "\n";
    return hex_hash(text);
}

std::vector<std::uint8_t> read_checked(const fs::path& file, const std::string& sum, bool official) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
        throw InputError(
            fmt::format("{}: expected a file of CIFAR-10, found none; {}", file.string(), advice));
    }
    const std::uintmax_t size = fs::file_size(file, error);
    const std::uintmax_t wanted = record_bytes * official_records;
    if (official && size != wanted) {
        throw InputError(
            fmt::format("{}: expected {} bytes, found {}; {}", file.string(), wanted, size, advice));
    }
    if (size == 0 || size % record_bytes != 0 || size > wanted) {
        throw InputError(fmt::format("{}: expected 1 to {} records of {} bytes, found {} bytes",
                                     file.string(), official_records, record_bytes, size));
    }
    std::vector<std::uint8_t> bytes(size);
    std::ifstream stream(file, std::ios::binary);
    if (!stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
        throw InputError(fmt::format("{}: the file cannot be read; check its permissions", file.string()));
    }
    if (const std::string found = detail::sha256(bytes); found != sum) {
        throw InputError(fmt::format("{}: expected the SHA-256 sum {}, found {}: the file was altered; {}",
                                     file.string(), sum, found, advice));
    }
    return bytes;
}

void append_records(ImageSet& set, const std::vector<std::uint8_t>& bytes, const fs::path& file) {
    for (std::size_t begin = 0; begin < bytes.size(); begin += record_bytes) {
        if (bytes[begin] >= classes) {
            throw InputError(fmt::format("{}: expected labels from 0 to 9, found {} in record {}",
                                         file.string(), bytes[begin], begin / record_bytes));
        }
        set.labels.push_back(bytes[begin]);
        const auto pixels = bytes.begin() + static_cast<std::ptrdiff_t>(begin) + 1;
        set.pixels.insert(set.pixels.end(), pixels, pixels + pixel_bytes);
    }
}

// True for the images of the validation set: a tenth of each class.
std::vector<bool> chosen_for_validation(const ImageSet& images) {
    std::array<std::vector<int>, classes> members;
    for (int i = 0; i < images.count(); ++i) members[images.labels[static_cast<std::size_t>(i)]].push_back(i);
    std::vector<bool> chosen(images.labels.size(), false);
    for (std::size_t c = 0; c < classes; ++c) {
        RandomStream random{validation_split_seed, c};
        std::vector<int>& left = members[c];
        for (std::size_t taken = left.size() / 10; taken > 0; --taken) {
            const int place = random.below(static_cast<int>(left.size()));
            std::swap(left[static_cast<std::size_t>(place)], left.back());
            chosen[static_cast<std::size_t>(left.back())] = true;
            left.pop_back();
        }
    }
    return chosen;
}

void append_image(ImageSet& to, const ImageSet& from, int index) {
    const std::uint8_t* pixels = from.image(index);
    to.pixels.insert(to.pixels.end(), pixels, pixels + from.image_bytes());
    to.labels.push_back(from.labels[static_cast<std::size_t>(index)]);
}

}  // namespace

Cifar10 load_cifar10(const fs::path& folder) {
    require_folder(folder);
    const DataFiles files = expected_files(folder);
    Cifar10 data;
    data.official = !has_own_sums(folder);
    data.hash = hash_of(files);
    ImageSet both;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const fs::path file = folder / files[i].name;
        append_records(i < training_files ? both : data.test,
                       read_checked(file, files[i].sha256, data.official), file);
    }
    const std::vector<bool> chosen = chosen_for_validation(both);
    for (int i = 0; i < both.count(); ++i) {
        append_image(chosen[static_cast<std::size_t>(i)] ? data.validation : data.train, both, i);
    }
    data.normalization = normalization_of(data.train);
    return data;
}

std::string cifar10_hash(const fs::path& folder) {
    require_folder(folder);
    return hash_of(expected_files(folder));
}

}  // namespace hacscale
