// Times candidates for a layer on the device, with the L2 cache as the layer finds it in its network. All that
// is cold was driven out by reading a large buffer; what is hot was read again after that.
#pragma once

#include <functional>
#include <memory>

#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/layer_choice.hpp"

namespace hacscale::cuda {

// How a layer of a network that goes over so many bytes (weights, and activations alive together) finds the cache.
L2State l2_state(std::int64_t footprint_bytes, std::size_t l2_bytes);

// A buffer that drives all else out of the L2 cache when it is read. The device has to be current.
std::shared_ptr<const DeviceBuffer> make_flush_buffer(const DeviceTraits& device);

// Takes the time of one run of a candidate in the context's state, in microseconds. It holds buffers for the layer
// as long as it lives, and refers to the candidates. Throws OutOfDeviceMemory when there is no room for them.
std::function<double(std::size_t)> make_candidate_timer(const LayerContext& context,
                                                        const LayerList& candidates,
                                                        std::shared_ptr<const DeviceBuffer> flush);

}  // namespace hacscale::cuda
