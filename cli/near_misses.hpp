// "Did you mean": the known words that a mistyped one is close to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hacscale::cli {

// At most three, the closest first; those further than a third of the word's letters (at least two edits) are
// left out.
std::vector<std::string> near_misses(std::string_view word, const std::vector<std::string>& known);

// "; did you mean a, b or c?", or nothing where there is no near miss.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace hacscale::cli
