// Contributions as JSON, with the keys of docs/formats.md. Include in .cpp files only, as cli/print_json.hpp.
#pragma once

#include <string>
#include <vector>

#include "cli/print_json.hpp"
#include "records/contributions.hpp"

namespace hacscale::cli {

// `stages` are the names of the model's stages.
Json contributions_json(const std::vector<ContributionsRow>& rows, const std::vector<std::string>& stages);
// One of the entries. Throws Json::exception or InputError when it is none.
ContributionsRow contributions_in(const Json& json);

}  // namespace hacscale::cli
