#include "training/load_data_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "models/stages/fitted_model.hpp"
#include "training/data_reader.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using detail::DataReader;

constexpr std::array readers{&detail::cifar10_reader, &detail::cifar100_reader, &detail::image_folder_reader};

// "cifar100:data": the kind, or null, and the path.
std::pair<const DataReader*, std::string> split_kind(const std::string& data) {
    const std::size_t colon = data.find(':');
    if (colon != std::string::npos) {
        for (const DataReader* reader : readers) {
            if (data.substr(0, colon) == reader->kind) return {reader, data.substr(colon + 1)};
        }
    }
    return {nullptr, data};
}

struct Found {
    const DataReader& reader;
    fs::path folder;
};

[[noreturn]] void fail_unknown(const fs::path& folder) {
    std::string expected;
    for (const DataReader* reader : readers) {
        expected += fmt::format("{}{}", expected.empty() ? "" : ", or ", reader->files);
    }
    throw InputError(fmt::format("{}: expected {}, found none of them; 'scripts/get-data' gets data sets",
                                 folder.string(), expected));
}

Found found(const fs::path& data) {
    const auto [named, text] = split_kind(data.string());
    const fs::path folder = text;
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        throw MissingError(fmt::format(
            "{}: there is no such folder with a data set; get one with 'scripts/get-data {}'",
            folder.string(), named != nullptr && !named->get_data.empty() ? named->get_data : "cifar10"));
    }
    if (named != nullptr) return {*named, folder};
    const DataReader* one = nullptr;
    for (const DataReader* reader : readers) {
        if (!reader->recognizes(folder)) continue;
        if (one != nullptr) {
            throw InputError(
                fmt::format("{0}: has {1}, and {2}; say which is meant: --data {3}:{0} or {4}:{0}",
                            folder.string(), one->files, reader->files, one->kind, reader->kind));
        }
        one = reader;
    }
    if (one == nullptr) fail_unknown(folder);
    return {*one, folder};
}

}  // namespace

DataForm data_form(const fs::path& data) {
    const auto [reader, folder] = found(data);
    return reader.form(folder);
}

DataSet load_data_set(const fs::path& data, const DataSettings& settings) {
    const auto [reader, folder] = found(data);
    return reader.load(folder, settings);
}

fs::path data_from_folder(const std::string& data, const fs::path& folder) {
    const auto [named, path] = split_kind(data);
    const std::string placed = (folder / path).lexically_normal().string();
    return named == nullptr ? placed : fmt::format("{}:{}", named->kind, placed);
}

ModelSpec fitted_to(const ModelSpec& model, const DataForm& form) {
    if (model.in_channels != 3) {
        throw InputError(fmt::format(
            "{} takes images of {} channels, and those of {} have 3; choose a model for color images",
            model.name, model.in_channels, form.name));
    }
    if (form.image_size && (model.resolution != form.image_size->height ||
                            model.input_pixels_across() != form.image_size->width)) {
        throw InputError(
            fmt::format("{} takes images of {} x {} pixels, and those of {} have {} x {}; give --resolution "
                        "{} to train it on them as "
                        "they are, or choose a CIFAR model",
                        model.name, model.input_pixels_across(), model.resolution, form.name,
                        form.image_size->width, form.image_size->height, form.image_size->height));
    }
    return with_classes(model, form.classes);
}

}  // namespace hacscale
