#include "harness/train/training_threads.hpp"

namespace hacscale::harness {

int training_threads(const host::CpuResources& room, int wanted, const std::string& device,
                     Events& events) {
    const host::ThreadChoice choice = host::choose_threads(room, wanted);
    if (device == "cpu") {
        for (const std::string& warning : choice.warnings) {
            events.warn(fmt::format("{}: {}", device, warning));
        }
    }
    return choice.threads;
}

}  // namespace hacscale::harness
