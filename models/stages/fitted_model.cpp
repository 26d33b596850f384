#include "models/stages/fitted_model.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <variant>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::size_t max_letters_of_model = 100;
constexpr std::string_view pixels_word = "pixels";
constexpr std::string_view classes_word = "classes";

// What the change is goes into the name's end, at the cost of the name where it would be too long.
void say(ModelSpec& model, int number, std::string_view word, const std::string& sentence) {
    const std::string end = fmt::format("-{}-{}", number, word);
    model.name = model.name.substr(0, max_letters_of_model - end.size()) + end;
    model.source += fmt::format("{}{}", model.source.empty() ? "" : "; ", sentence);
}

// Takes "-NUMBER-WORD" off the end of a name. 0 where the name does not end so.
int take_number(std::string& name, std::string_view word) {
    const std::string end = fmt::format("-{}", word);
    if (!name.ends_with(end)) return 0;
    const std::string_view rest = std::string_view(name).substr(0, name.size() - end.size());
    const std::size_t dash = rest.rfind('-');
    if (dash == std::string_view::npos) return 0;
    int number = 0;
    const auto [stop, error] = std::from_chars(rest.data() + dash + 1, rest.data() + rest.size(), number);
    if (error != std::errc{} || stop != rest.data() + rest.size() || number < 1) return 0;
    name.resize(dash);
    return number;
}

}  // namespace

ModelSpec with_resolution(const ModelSpec& model, int pixels) {
    if (model.resolution == pixels && model.input_pixels_across() == pixels) return model;
    ModelSpec changed = model;
    changed.resolution = pixels;
    changed.resolution_width = 0;
    say(changed, pixels, pixels_word, fmt::format("for images of {0} x {0} pixels", pixels));
    check(changed);
    return changed;
}

ModelSpec with_classes(const ModelSpec& model, int classes) {
    if (model.classes == classes) return model;
    ModelSpec changed = model;
    auto* last = changed.head.empty() ? nullptr : std::get_if<LinearSpec>(&changed.head.back());
    if (last == nullptr) {
        throw InputError(
            fmt::format("{} has no linear layer at its end that could tell {} classes apart; add "
                        "\"linear: {{}}\" to its head",
                        model.name, classes));
    }
    last->width = 0;  // "classes"
    changed.classes = classes;
    say(changed, classes, classes_word, fmt::format("for {} classes", classes));
    check(changed);
    return changed;
}

FittedName parse_fitted_name(const std::string& name) {
    FittedName fitted{name};
    fitted.classes = take_number(fitted.model, classes_word);
    fitted.pixels = take_number(fitted.model, pixels_word);
    return fitted;
}

}  // namespace hacscale
