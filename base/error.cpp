#include "base/error.hpp"

#include <string_view>

namespace hacscale {

// The compiler names sources as it was given them: by their whole path, or from the build folder on.
std::string text_of(const Place& place) {
    constexpr std::string_view root = HACSCALE_SOURCE_ROOT;
    constexpr std::string_view above = "../";
    std::string_view file = place.file;
    if (file.starts_with(root)) file.remove_prefix(root.size());
    while (file.starts_with(above)) file.remove_prefix(above.size());
    return std::string(file) + ":" + std::to_string(place.line);
}

}  // namespace hacscale
