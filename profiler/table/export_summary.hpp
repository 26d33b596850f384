// What became of a table's rows in a form that cannot hold them all.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace hacscale {

struct ExportSummary {
    std::int64_t rows = 0;                         // that the filter lets through
    std::int64_t written = 0;                      // of these
    std::int64_t entries = 0;                      // of the file
    std::map<std::string, std::int64_t> left_out;  // rows by the reason, in words
};

}  // namespace hacscale
