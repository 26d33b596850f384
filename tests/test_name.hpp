// Names for tests that go over names: GoogleTest takes letters, digits and underscores only.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>

namespace hacscale::testing {

// With an underscore for every other character.
inline std::string test_name(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](unsigned char character) { return std::isalnum(character) == 0; }, '_');
    return name;
}

}  // namespace hacscale::testing
