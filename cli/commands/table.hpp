// `hacscale table ...`: what is in a table, and tables united, compared, exported and checked.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_table(CLI::App& parser);

// The commands below it, one file each in cli/commands/table/.
Run declare_table_show(CLI::App& parser);
Run declare_table_query(CLI::App& parser);
Run declare_table_merge(CLI::App& parser);
Run declare_table_diff(CLI::App& parser);
Run declare_table_export(CLI::App& parser);
Run declare_table_check(CLI::App& parser);

}  // namespace hacscale::cli
