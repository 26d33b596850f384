// Files that processes lock to keep each other out (flock).
#pragma once

#include <filesystem>

namespace hacscale {

// A descriptor of the file, which is made if it is absent: of a regular file only, since a link would be followed to a file of others and
// a pipe would block for ever. -1, with errno, where it cannot be opened. Throws WorkError where something else has its name.
int open_lock_file(const std::filesystem::path& file);

}  // namespace hacscale
