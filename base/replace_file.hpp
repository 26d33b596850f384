// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

namespace hacscale {

// What `write` puts into the stream is written under the name FILE.part, which then takes the place of the file. What had that name
// before is removed and not followed: a link there may lead to a file that nobody meant to overwrite. Throws WorkError, with the
// reason, where the file cannot be written; then it is as it was.
void replace_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

}  // namespace hacscale
