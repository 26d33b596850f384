// MadeFrom as JSON. Include in .cpp files only, as cli/print_json.hpp.
#pragma once

#include "cli/print_json.hpp"
#include "records/made_from.hpp"

namespace hacscale::cli {

inline Json made_from_json(const MadeFrom& made_from) {
    return {{"version", made_from.version},
            {"suite_hash", made_from.suite_hash},
            {"rows_hash", made_from.rows_hash},
            {"seconds", made_from.seconds}};
}

// Throws Json::exception when there is something else.
inline MadeFrom made_from_in(const Json& json) {
    return {json.at("version"), json.at("suite_hash"), json.at("rows_hash"), json.at("seconds")};
}

}  // namespace hacscale::cli
