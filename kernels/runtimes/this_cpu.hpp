// This machine's CPU as the device of another runtime.
#pragma once

#include <string>

#include "kernels/runtimes/runtime.hpp"

namespace hacscale::runtimes {

// How many threads the process measures with, as BackendRegistry::load() was told.
int measuring_threads();

// "onnxruntime@cpu" for the backend "onnxruntime". The fingerprint covers the processor, its caches, the threads, and the version of
// the runtime. From now on the calling thread runs on the processors that are measured, where it may run on others as well.
DeviceKind this_cpu(const std::string& backend, const std::string& version);

}  // namespace hacscale::runtimes
