#include "base/scratch_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <string>
#include <system_error>

#include "base/error.hpp"

namespace hacscale {

ScratchFolder::ScratchFolder() {
    const std::filesystem::path parent = std::filesystem::temp_directory_path();
    std::string name = (parent / "hacscale-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw WorkError(fmt::format("no folder can be made in {}", parent.string()));
    }
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace hacscale
