#include "cli/commands.hpp"

#include <array>

#include "cli/commands/completion.hpp"
#include "cli/commands/devices.hpp"
#include "cli/commands/models.hpp"
#include "cli/commands/report.hpp"
#include "cli/commands/table.hpp"

namespace hacscale::cli {

std::span<const Command> commands() {
    static constexpr std::array table{
        Command{"devices", declare_devices},       Command{"models", declare_models},
        Command{"table", declare_table},           Command{"report", declare_report},
        Command{"completion", declare_completion},
    };
    return table;
}

}  // namespace hacscale::cli
