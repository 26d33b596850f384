// Inputs of one's own for a network, from a safetensors file: a tensor for each input, whose first size is the number of samples.
#pragma once

#include <filesystem>

#include "models/graph/graph_values.hpp"
#include "models/graph/network.hpp"

namespace hacscale {

// In the file's order. A tensor has its input's name, N x C x H x W, where sizes of 1 may be left out behind N; the tensor of a network
// with a single input may have any name if it is the only one. Throws InputError, which names the file and the tensor, where one is
// missing, has other sizes or no numbers, or where tensors differ in their number of samples.
InputSamples read_input_samples(const std::filesystem::path& file, const Network& network);

}  // namespace hacscale
