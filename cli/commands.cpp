#include "cli/commands.hpp"

#include <array>

namespace hacscale::cli {

Run declare_table(CLI::App& parser) {
    SubCommands commands(parser);
    commands.add("table show", declare_table_show);
    commands.add("table query", declare_table_query);
    commands.add("table merge", declare_table_merge);
    commands.add("table diff", declare_table_diff);
    commands.add("table export", declare_table_export);
    commands.add("table import", declare_table_import);
    commands.add("table check", declare_table_check);
    return commands.run();
}

std::span<const Command> commands() {
    static constexpr std::array table{
        Command{"devices", declare_devices},                //
        Command{"models", declare_models},                  //
        Command{"import", declare_import},                  //
        Command{"plan", declare_plan},                      //
        Command{"profile", declare_profile},                //
        Command{"table", declare_table},                    //
        Command{"verify", declare_verify},                  //
        Command{"trace", declare_trace},                    //
        Command{"scale", declare_scale},                    //
        Command{"compare", declare_compare},                //
        Command{"explain", declare_explain},                //
        Command{"advise", declare_advise},                  //
        Command{"report", declare_report},                  //
        Command{"run", declare_run},                        //
        Command{"train", declare_train},                    //
        Command{"importance", declare_importance},          //
        Command{"sensitivity", declare_sensitivity},        //
        Command{"export-weights", declare_export_weights},  //
        Command{"import-weights", declare_import_weights},  //
        Command{"completion", declare_completion}           //
    };
    return table;
}

}  // namespace hacscale::cli
