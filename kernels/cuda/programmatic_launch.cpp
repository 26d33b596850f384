#include "kernels/cuda/programmatic_launch.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cuda {

bool programmatic_launches_wanted() {
    const char* const value = std::getenv("HACSCALE_PDL");
    const std::string_view text = value == nullptr ? "" : value;
    if (!text.empty() && text != "0" && text != "1") {
        throw InputError("HACSCALE_PDL is '" + std::string(text) + "'; it may be 0 or 1");
    }
    return text == "1";
}

}  // namespace hacscale::cuda
