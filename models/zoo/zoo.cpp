#include "models/zoo/zoo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/shipped_files.hpp"
#include "base/text/wording.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/fitted_model.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}

std::string_view leading_digits(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_decimal(text[length])) ++length;
    return text.substr(0, length);
}

// Numbers within names compare by value ("resnet20" before "resnet110", "0.25" before "0.5"), the rest by
// character.
bool naturally_before(std::string_view a, std::string_view b) {
    bool after_point = false;  // digits after a point are decimals: they compare as text does
    while (!a.empty() && !b.empty()) {
        if (is_decimal(a.front()) && is_decimal(b.front())) {
            const std::string_view left = leading_digits(a);
            const std::string_view right = leading_digits(b);
            // The zoo's names have no leading zeros, so more digits make a greater number.
            if (!after_point && left.size() != right.size()) return left.size() < right.size();
            if (left != right) return left < right;
            a.remove_prefix(left.size());
            b.remove_prefix(right.size());
        } else {
            if (a.front() != b.front()) return a.front() < b.front();
            after_point = a.front() == '.';
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
    }
    return a.size() < b.size();
}

// What is meant as a path is not looked up as a name.
bool looks_like_path(const std::string& text) {
    return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

}  // namespace

fs::path zoo_folder() {
    return shipped_folder("HACSCALE_MODELS", "models", HACSCALE_ZOO_FOLDER);
}

std::vector<std::string> zoo_names() {
    const fs::path folder = zoo_folder();
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
    }
    if (error) {
        throw MissingError(
            fmt::format("the models folder {} cannot be read ({}); set HACSCALE_MODELS to the folder "
                        "with the zoo's YAML files",
                        folder.string(), error.message()));
    }
    std::sort(names.begin(), names.end(), naturally_before);
    return names;
}

ModelSpec find_model(const std::string& name_or_file) {
    if (is_onnx_file(name_or_file)) {
        throw InputError(fmt::format(
            "{}: an ONNX file has no stages, which are needed here; import, profile, verify, advise, scale, "
            "compare, trace, "
            "plan, models show and table diff take it, and everything else a name of the zoo or a YAML file",
            name_or_file));
    }
    if (looks_like_path(name_or_file)) return load_model(name_or_file);
    const std::vector<std::string> names = zoo_names();
    const auto in_zoo = [&names](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (in_zoo(name_or_file)) return load_model(zoo_folder() / (name_or_file + ".yaml"));
    std::error_code error;
    if (fs::is_regular_file(name_or_file, error)) return load_model(name_or_file);
    const FittedName fitted = parse_fitted_name(name_or_file);
    if (in_zoo(fitted.model)) {
        ModelSpec model = load_model(zoo_folder() / (fitted.model + ".yaml"));
        if (fitted.pixels > 0) model = with_resolution(model, fitted.pixels);
        return fitted.classes > 0 ? with_classes(model, fitted.classes) : model;
    }
    throw InputError(
        fmt::format("no model '{:.100}' in {} and no file of that name{}; 'hacscale models' lists the names",
                    name_or_file, zoo_folder().string(), detail::did_you_mean(name_or_file, names)));
}

bool is_onnx_file(const std::string& name_or_file) {
    return name_or_file.ends_with(".onnx");
}

Network network_of(const ModelSpec& model) {
    return {.name = model.name, .hash = model_hash(model), .graph = lower(model)};
}

}  // namespace hacscale
