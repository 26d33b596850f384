// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>

namespace hacscale {

// Brings a file's content, or the names in a folder, from the system's cache to the disk. False, with errno, where that fails.
bool bring_to_disk(const std::filesystem::path& file);

// What a whole file must survive. A power cut soon after the file took its name may leave it empty unless it was brought to the disk
// before, which takes milliseconds.
enum class Survives { kill, power_cut };

// What `write` puts into the stream is written under the name FILE.part, which then takes the place of the file. What had that name
// before is removed and not followed: a link there may lead to a file that nobody meant to overwrite. Throws WorkError, with the
// reason, where the file cannot be written; then it is as it was.
void replace_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write,
                  Survives survives = Survives::kill);

}  // namespace hacscale
