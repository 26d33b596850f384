#include "base/error.hpp"

#include <string_view>

namespace hacscale {
namespace {

// The compiler names sources as it was given them: of this one, all before its place below the root is the root.
std::string_view source_root() {
    constexpr std::string_view below_root = "base/error.cpp";
    const std::string_view here = Place::current().file;
    return here.ends_with(below_root) ? here.substr(0, here.size() - below_root.size()) : std::string_view();
}

}  // namespace

std::string text_of(const Place& place) {
    std::string_view file = place.file;
    if (file.starts_with(source_root())) file.remove_prefix(source_root().size());
    return std::string(file) + ":" + std::to_string(place.line);
}

}  // namespace hacscale
