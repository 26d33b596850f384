// A network that is compiled and has weights and an input, as programs want it that only time it.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::bench {

// Throws WorkError with the model's name and the reason where it cannot run.
inline std::unique_ptr<NetworkRunner> ready_runner(const DeviceHandle& device, const std::string& model,
                                                   const Network& network, const CompileOptions& options) {
    Compiled compiled = device.backend->compile(device.device.id, network, options);
    if (!compiled.runner) throw WorkError(model + ": " + compiled.reason);
    compiled.runner->load(random_weights(network, 1));
    const auto pixels = static_cast<std::size_t>(network.resolution) * network.resolution;
    compiled.runner->set_input(random_values(options.batch * network.in_channels * pixels, 2));
    return std::move(compiled.runner);
}

}  // namespace hacscale::bench
