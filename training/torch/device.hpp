// Where a network is trained: "cpu" or "cuda:N", and how this process uses it.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace hacscale::training {

// Throws InputError for a text that names no device, MissingError where it is not here or this libtorch
// cannot use it.
at::Device device_of(const std::string& text);
// The processor's or GPU's name, for records.
std::string name_of(const at::Device& device);
int usable_cores();
// Threads of this process's operators (0: all cores that it may use), and settings under which the same work
// gives the same numbers. Returns the number of threads.
int prepare(const at::Device& device, int threads);

}  // namespace hacscale::training
