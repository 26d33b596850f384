// Going on after a lost device. A device that was lost stays lost for the process that lost it, so the
// program starts itself again with the same arguments: the table has what was measured, and the rows that
// took the device with them are left alone. An environment variable counts the starts.
#pragma once

#include <sched.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cli/session.hpp"

namespace hacscale::cli {

constexpr int max_restarts = 8;
constexpr const char* restart_variable = "HACSCALE_RESTARTS";

// What is needed to start the process again as it was started. Made at the very beginning, because later
// OpenMP binds the main thread to one processor, and its settings enter the environment: a new program in the
// process would inherit both.
class Restart {
public:
    Restart(int argc, const char* const* argv);
    // Does not return; throws WorkError when the program cannot be started. Everything that must be closed in
    // good order has to be closed by now.
    [[noreturn]] void now() const;

private:
    std::vector<std::string> arguments_;
    cpu_set_t processors_;
    std::vector<std::pair<const char*, std::optional<std::string>>> openmp_;  // variables and their values
};

// Does the work; when it throws DeviceLost, starts the process again. `work` is told whether to try rows
// again that failed before: not in a process that continues after another. Where the session has no Restart,
// DeviceLost passes; after max_restarts it becomes a WorkError that says so.
ExitStatus surviving_lost_devices(Session& session, const std::function<ExitStatus(bool retry_failed)>& work);

}  // namespace hacscale::cli
