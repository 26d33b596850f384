// This machine's CPU as the device of another runtime.
#pragma once

#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"

namespace hacscale::runtimes {

// How many threads the process measures with, as BackendRegistry::load() was told.
int measuring_threads();

// "onnxruntime@cpu" for the backend "onnxruntime". The fingerprint covers the processor, its caches, the threads, and the version of
// the runtime.
BackendDevice runtime_device(const std::string& backend, const std::string& version);

// From now on the calling thread runs on the processors that are measured, where it may run on others as well.
void stay_on_measuring_processors();

// Large dense convs, as Backend::peak_layers().
std::vector<LayerSpec> dense_layers();
// As Backend::copy_bandwidth().
double copy_bandwidth();
// Reads more than the last-level cache holds, so that nothing else is left in it.
void fill_caches();

}  // namespace hacscale::runtimes
