#include "cli/commands/table.hpp"

#include <CLI/CLI.hpp>

namespace hacscale::cli {

Run declare_table(CLI::App& parser) {
    SubCommands commands(parser);
    commands.add("table show", declare_table_show);
    commands.add("table query", declare_table_query);
    commands.add("table merge", declare_table_merge);
    commands.add("table diff", declare_table_diff);
    commands.add("table export", declare_table_export);
    commands.add("table check", declare_table_check);
    return commands.run();
}

}  // namespace hacscale::cli
