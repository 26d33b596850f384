// In which layout a network runs faster here: it is run in both, and the choice is remembered beside the
// choices of kernels (plan_choice.hpp).
#pragma once

#include "kernels/backend.hpp"

namespace hacscale::cpu {

// Channels-last unless the blocked layout is more than 3 % faster. Blocked is no candidate where a layer
// would have no kernel made for this processor, and neither is what cannot be compiled. The layouts that the
// network's layers name do not matter.
Layout fastest_layout(const Network& network, const CompileOptions& options);

}  // namespace hacscale::cpu
