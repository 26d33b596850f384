#include "harness/train/training_threads.hpp"

#include <spdlog/logger.h>

namespace hacscale::cli {

int training_threads(const host::CpuResources& room, int wanted, const std::string& device,
                     Session& session) {
    const host::ThreadChoice choice = host::choose_threads(room, wanted);
    if (device == "cpu") {
        for (const std::string& warning : choice.warnings) {
            session.log.warn("{}: {}", device, warning);
        }
    }
    return choice.threads;
}

}  // namespace hacscale::cli
