// What a record of a suite's run was made from: while none of it changes, the record stands, and a run that
// goes on does not make it again.
#pragma once

#include <string>

namespace hacscale::cli {}
namespace hacscale::harness {
using namespace cli;
}

namespace hacscale::cli {

struct MadeFrom {
    std::string version;     // of the program
    std::string suite_hash;  // harness/suite/folder_claim.hpp
    std::string rows_hash;   // of the table's rows and peak in this state
    double seconds = 0.0;    // at most, for timing one network
    bool operator==(const MadeFrom&) const = default;
};

}  // namespace hacscale::cli
