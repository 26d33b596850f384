// In which layout a network runs faster here: it is run in both, and the choice is remembered beside the
// choices of kernels (plan_choice.hpp).
#pragma once

#include "kernels/backend/backend.hpp"

namespace hacscale::cpu {

// Whether every layer of the network has a kernel for blocked tensors that was made for processors like this
// one.
bool may_be_blocked(const Network& network);

// Channels-last unless the blocked layout is more than 3 % faster. What may not be blocked, or cannot be
// compiled, is no candidate. The layouts that the network's layers name do not matter.
Layout fastest_layout(const Network& network, const CompileOptions& options);

}  // namespace hacscale::cpu
