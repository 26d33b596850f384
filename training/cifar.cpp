// CIFAR-10 and CIFAR-100 in their binary form: files of records, each one or two label bytes and three planes of 32x32
// bytes (red, green, blue).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "training/data_reader.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t pixel_bytes = 3 * 32 * 32;

struct CifarFile {
    std::string name;
    std::size_t records;
    std::string sha256;
};

struct CifarForm {
    std::string name;
    int classes;
    std::size_t label_bytes;       // before each image; the last one is the class
    std::vector<CifarFile> files;  // the last one has the test images
    std::string advice;

    std::size_t record_bytes() const { return label_bytes + pixel_bytes; }
};

const CifarForm& cifar10() {
    static const CifarForm form{
        "CIFAR-10",
        10,
        1,
        {{"data_batch_1.bin", 10'000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
         {"data_batch_2.bin", 10'000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
         {"data_batch_3.bin", 10'000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
         {"data_batch_4.bin", 10'000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
         {"data_batch_5.bin", 10'000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
         {"test_batch.bin", 10'000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"}},
        "get the data with 'scripts/get-data cifar10'"};
    return form;
}

// The first label byte is the class's superclass, of 20.
const CifarForm& cifar100() {
    static const CifarForm form{
        "CIFAR-100",
        100,
        2,
        {{"train.bin", 50'000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"},
         {"test.bin", 10'000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"}},
        "get the data with 'scripts/get-data cifar100'"};
    return form;
}

// The sums that the files are held to.
std::vector<FileSum> expected_sums(const CifarForm& form, const std::optional<FileSums>& own,
                                   const fs::path& folder) {
    std::vector<FileSum> files;
    for (const CifarFile& file : form.files) files.push_back({file.name, file.sha256});
    if (!own) return files;
    for (FileSum& file : files) {
        const auto found = own->find(file.name);
        if (found == own->end()) {
            throw InputError(
                fmt::format("{}: expected a line for {}", (folder / "SHA256SUMS").string(), file.name));
        }
        file.sha256 = found->second;
    }
    return files;
}

void check_size(const CifarForm& form, const CifarFile& kind, const fs::path& file, bool official) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
        throw InputError(
            fmt::format("{}: expected a file of {}, found none; {}", file.string(), form.name, form.advice));
    }
    const std::uintmax_t size = fs::file_size(file, error);
    const std::uintmax_t wanted = form.record_bytes() * kind.records;
    if (official && size != wanted) {
        throw InputError(
            fmt::format("{}: expected {} bytes, found {}; {}", file.string(), wanted, size, form.advice));
    }
    if (size == 0 || size % form.record_bytes() != 0 || size > wanted) {
        throw InputError(fmt::format("{}: expected 1 to {} records of {} bytes, found {} bytes",
                                     file.string(), kind.records, form.record_bytes(), size));
    }
}

void append_records(ImageSet& set, const CifarForm& form, const std::vector<std::uint8_t>& bytes,
                    const fs::path& file) {
    for (std::size_t begin = 0; begin < bytes.size(); begin += form.record_bytes()) {
        const std::uint8_t label = bytes[begin + form.label_bytes - 1];
        if (label >= form.classes) {
            throw InputError(fmt::format("{}: expected labels from 0 to {}, found {} in record {}",
                                         file.string(), form.classes - 1, label,
                                         begin / form.record_bytes()));
        }
        set.labels.push_back(label);
        const auto pixels = bytes.begin() + static_cast<std::ptrdiff_t>(begin + form.label_bytes);
        set.pixels.insert(set.pixels.end(), pixels, pixels + pixel_bytes);
    }
}

void append_image(ImageSet& to, const ImageSet& from, int index) {
    const std::uint8_t* pixels = from.image(index);
    to.pixels.insert(to.pixels.end(), pixels, pixels + from.image_bytes());
    to.labels.push_back(from.labels[static_cast<std::size_t>(index)]);
}

template <const CifarForm& (*form_of)()>
bool has_files(const fs::path& folder) {
    std::error_code error;
    const auto& files = form_of().files;
    return std::any_of(files.begin(), files.end(),
                       [&](const CifarFile& file) { return fs::exists(folder / file.name, error); });
}

template <const CifarForm& (*form_of)()>
DataForm known_form(const fs::path& folder) {
    const CifarForm& form = form_of();
    return {form.name, form.classes, data_hash(expected_sums(form, own_sums(folder), folder)),
            ImageSize{32, 32}};
}

DataSet load(const CifarForm& form, const fs::path& folder) {
    const std::optional<FileSums> own = own_sums(folder);
    const std::vector<FileSum> sums = expected_sums(form, own, folder);
    DataSet data;
    data.name = form.name;
    data.official = !own;
    data.hash = data_hash(sums);
    for (ImageSet* set : {&data.train, &data.validation, &data.test}) set->classes = form.classes;
    ImageSet both;
    for (std::size_t i = 0; i < form.files.size(); ++i) {
        const fs::path file = folder / form.files[i].name;
        check_size(form, form.files[i], file, data.official);
        append_records(i + 1 < form.files.size() ? both : data.test, form,
                       read_checked(file, sums[i].sha256, form.advice), file);
    }
    const std::vector<bool> chosen = chosen_for_validation(both.labels, form.classes);
    for (int i = 0; i < both.count(); ++i) {
        append_image(chosen[static_cast<std::size_t>(i)] ? data.validation : data.train, both, i);
    }
    data.normalization = normalization_of(data.train);
    return data;
}

template <const CifarForm& (*form_of)()>
DataSet load_images(const fs::path& folder, const DataSettings&) {
    return load(form_of(), folder);
}

}  // namespace

const DataReader cifar10_reader{
    "cifar10",           "CIFAR-10's files data_batch_1.bin to data_batch_5.bin and test_batch.bin",
    "cifar10",           has_files<cifar10>,
    known_form<cifar10>, load_images<cifar10>};
const DataReader cifar100_reader{"cifar100",           "CIFAR-100's files train.bin and test.bin",
                                 "cifar100",           has_files<cifar100>,
                                 known_form<cifar100>, load_images<cifar100>};

}  // namespace hacscale::detail
