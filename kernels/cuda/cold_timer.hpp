// Times candidates for a layer on the device, each run with cold caches: what the network before it left
// there is unknown, and its weights were last touched one pass ago.
#pragma once

#include <functional>
#include <memory>

#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/layer_choice.hpp"

namespace hacscale::cuda {

// A buffer that drives all else out of the L2 cache when it is read. The device has to be current.
std::shared_ptr<const DeviceBuffer> make_flush_buffer(const DeviceTraits& device);

// Takes the time of one run of a candidate, in microseconds. It holds buffers for the layer as long as it
// lives, and refers to the candidates. Throws OutOfDeviceMemory when there is no room for them.
std::function<double(std::size_t)> make_cold_timer(const LayerContext& context, const LayerList& candidates,
                                                   std::shared_ptr<const DeviceBuffer> flush);

}  // namespace hacscale::cuda
