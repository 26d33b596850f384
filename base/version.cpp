#include "base/version.hpp"

namespace hacscale {

std::string_view version() {
    return HACSCALE_VERSION;
}

}  // namespace hacscale
