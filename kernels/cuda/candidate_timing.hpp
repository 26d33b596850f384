// Which of several candidates to run a layer is taken: their times on the device, and the choice from those times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/device_memory.hpp"

namespace hacscale::cuda {

// ---- Times, with the L2 cache as the layer finds it in its network. What is cold was driven out by reading a large
// buffer; what is hot was read again after that.

// How a layer of a network that goes over so many bytes (weights, and activations alive together) finds the cache.
L2State l2_state(std::int64_t footprint_bytes, std::size_t l2_bytes);

// A buffer that drives all else out of the L2 cache when it is read. The device has to be current.
std::shared_ptr<const DeviceBuffer> make_flush_buffer(const DeviceTraits& device);

// Takes the time of one run of a candidate in the context's state, in microseconds. It holds buffers for the layer
// as long as it lives, and refers to the candidates. Throws OutOfDeviceMemory when there is no room for them.
std::function<double(std::size_t)> make_candidate_timer(const LayerContext& context,
                                                        const LayerList& candidates,
                                                        std::shared_ptr<const DeviceBuffer> flush);

// ---- The choice; it needs no device, since the caller says how a time is taken.

struct Verdict {
    std::size_t chosen = 0;
    std::vector<double> median_us;      // infinite where a candidate failed
    std::vector<std::string> failures;  // why a candidate cannot run; empty where it can
};

// Candidates come in order of preference; one further back is taken only if it is more than 3 % faster.
// `time_once` runs one candidate once and returns microseconds. Rounds over all candidates interleave, in an order
// that `seed` shuffles, each followed by its reverse, so that neither drift nor what a neighbour leaves behind
// decides. Those far behind are timed a few times only: after every three rounds at most half remain, and none that
// is slower than the best by a share that shrinks. A candidate whose run throws is dropped; DeviceLost goes through.
// Throws WorkError with the reasons when none is left.
Verdict fastest(std::size_t candidates, const std::function<double(std::size_t)>& time_once,
                std::uint64_t seed = 1);

}  // namespace hacscale::cuda
