// The version of the program, as CMakeLists.txt states it.
#pragma once

#include <string_view>

namespace hacscale::cli {

std::string_view version();

}  // namespace hacscale::cli
