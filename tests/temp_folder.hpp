// A folder of a test's own that vanishes with it.
#pragma once

#include <filesystem>
#include <string>

#include "base/scratch_folder.hpp"

namespace hacscale::testing {

class TempFolder : public ScratchFolder {
public:
    std::filesystem::path operator/(const std::string& name) const { return path() / name; }
};

}  // namespace hacscale::testing
