// The options that choose rows of a table.
#pragma once

#include <string>

#include "cli/parser_fwd.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

// Empty (0 for batch) where the option was not given.
struct FilterOptions {
    std::string layer;
    std::string kind;
    int batch = 0;
    std::string dtype;
    std::string cache;
    std::string status;

    RowFilter filter() const;  // throws InputError for a name that is not known
};

void add_filter_options(CLI::App& parser, FilterOptions& options);

}  // namespace hacscale::cli
