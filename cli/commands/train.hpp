// hacscale train: trains networks on CIFAR-10, one or a plan of many, and records their accuracy.
#pragma once

#include "cli/command.hpp"

namespace hacscale::cli {

Run declare_train(CLI::App& parser);

}  // namespace hacscale::cli
