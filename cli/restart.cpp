#include "cli/restart.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/session.hpp"

namespace hacscale::cli {

namespace {

int restarts_so_far() {
    const char* text = std::getenv(restart_variable);
    return text == nullptr ? 0 : std::max(0, std::atoi(text));
}

}  // namespace

Restart::Restart(int argc, const char* const* argv) : arguments_(argv, argv + argc), processors_{} {
    if (sched_getaffinity(0, sizeof(processors_), &processors_) != 0) {
        CPU_ZERO(&processors_);
    }
    for (const char* name : {"OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND"}) {
        const char* value = std::getenv(name);
        openmp_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
    }
}

void Restart::now() const {
    std::vector<char*> argv;
    for (const std::string& argument : arguments_) {
        argv.push_back(const_cast<char*>(argument.c_str()));  // execv promises not to write there
    }
    argv.push_back(nullptr);
    if (CPU_COUNT(&processors_) > 0) {
        sched_setaffinity(0, sizeof(processors_), &processors_);
    }
    for (const auto& [name, value] : openmp_) {
        value ? ::setenv(name, value->c_str(), 1) : ::unsetenv(name);
    }
    ::execv("/proc/self/exe", argv.data());
    throw WorkError(fmt::format("the program cannot start itself again: {}; run the same command again",
                                std::strerror(errno)));
}

ExitStatus surviving_lost_devices(Session& session,
                                  const std::function<ExitStatus(bool retry_failed)>& work) {
    const int restarts = restarts_so_far();
    try {
        return work(restarts == 0);
    } catch (const DeviceLost& lost) {
        if (session.restart == nullptr || interrupted()) {
            throw;
        }
        if (restarts >= max_restarts) {
            throw WorkError(fmt::format(
                "the device was lost {} times in a row, the last time so: {}. What was measured is "
                "kept. See whether other programs can use the device, then run the same command "
                "again",
                restarts + 1, lost.what()));
        }
        session.log.warn("{}; going on in a fresh process ({} of at most {})", lost.what(), restarts + 1,
                         max_restarts);
    }
    session.log.flush();
    session.out.flush();
    session.err.flush();
    ::setenv(restart_variable, std::to_string(restarts + 1).c_str(), 1);
    session.restart->now();
}

}  // namespace hacscale::cli
