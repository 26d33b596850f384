// Files that come with the program, as the zoo's: in a folder of their own, each with a name that stands for it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hacscale {

// The folder that the environment's `variable` names, else share/hacscale/NAME beside the installed program, else the one of the
// sources that the program was built from.
std::filesystem::path shipped_folder(const char* variable, const std::string& name,
                                     const std::filesystem::path& in_sources);

// Names of the YAML files in there, without the suffix, sorted; none where the folder cannot be read.
std::vector<std::string> shipped_names(const std::filesystem::path& folder);

// The file in there that goes by a name; a text that has a slash or a YAML file's suffix is a file itself. Throws InputError for a name
// that there is not, which `what` ("suite") is called in.
std::filesystem::path shipped_file(const std::filesystem::path& folder, const std::string& name_or_file,
                                   const std::string& what);

}  // namespace hacscale
