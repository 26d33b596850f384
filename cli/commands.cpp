#include "cli/commands.hpp"

#include <array>

#include "cli/commands/advise.hpp"
#include "cli/commands/compare.hpp"
#include "cli/commands/completion.hpp"
#include "cli/commands/devices.hpp"
#include "cli/commands/explain.hpp"
#include "cli/commands/importance.hpp"
#include "cli/commands/models.hpp"
#include "cli/commands/plan.hpp"
#include "cli/commands/profile.hpp"
#include "cli/commands/report.hpp"
#include "cli/commands/run.hpp"
#include "cli/commands/sensitivity.hpp"
#include "cli/commands/table.hpp"
#include "cli/commands/trace.hpp"
#include "cli/commands/train.hpp"
#include "cli/commands/verify.hpp"
#include "cli/commands/weights.hpp"

namespace hacscale::cli {

std::span<const Command> commands() {
    static constexpr std::array table{
        Command{"devices", declare_devices},                //
        Command{"models", declare_models},                  //
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
