#include "cli/version.hpp"

namespace hacscale::cli {

std::string_view version() {
    return HACSCALE_VERSION;
}

}  // namespace hacscale::cli
