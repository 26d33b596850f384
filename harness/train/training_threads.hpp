// How many threads train and compute importance: the rule of "profile" (kernels/host/thread_choice.hpp).
#pragma once

#include <string>

#include "harness/events.hpp"
#include "kernels/host/thread_choice.hpp"

namespace hacscale::harness {

// To be called before the trainer is loaded, for its OpenMP pins the thread that loads it. Warns as measuring
// does where the device is the CPU. Throws InputError for more threads than there are processors.
int training_threads(const host::CpuResources& room, int wanted, const std::string& device, Events& events);

}  // namespace hacscale::harness
