// Where backends remember between processes which kernel runs a layer.
#pragma once

#include <filesystem>
#include <string>

namespace hacscale {

// $HACSCALE_PLAN_CACHE, else $XDG_CACHE_HOME/hacscale, else ~/.cache/hacscale. Empty when nothing is to be
// kept on disk: HACSCALE_PLAN_CACHE is set to nothing, or there is no home. Not made here.
std::filesystem::path plan_cache_folder();

// Why what a backend chooses cannot be kept in `file` of that folder, as a warning; empty when it can, or
// when it is not to be. Makes the folder, for its owner alone; private_folder.hpp says which ones are used.
std::string plan_cache_obstacle(const std::string& file);

}  // namespace hacscale
