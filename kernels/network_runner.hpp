// A network compiled for one device, ready to run.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/layer_weights.hpp"

namespace hacscale {

class NetworkRunner {
public:
    virtual ~NetworkRunner() = default;

    virtual void load(const std::vector<LayerWeights>& weights) = 0;  // one entry a node
    // Dense NCHW, f32, `batch` images; converted to the network's data type and layout.
    virtual void set_input(std::span<const float> nchw) = 0;
    // The second input of a network made by single_layer(); does nothing on others.
    virtual void set_residual(std::span<const float> nchw) = 0;

    // The clock that its runs take time by, microseconds since an arbitrary start: the host's, unless the
    // device is simulated. Whoever times runs reads this one.
    virtual double clock_us() const;
    // One inference; returns when the output is complete.
    virtual void run() = 0;
    // This many inferences back to back: microseconds of all of them, by the device's own clock where it has
    // one, by the host's otherwise.
    virtual double time_runs(int runs);
    // The same in two steps: starts the inferences, which a device then does by itself; waits for those that were
    // started last. A host that computes by itself does all of it in the second step.
    virtual void start_runs(int runs);
    virtual double finish_runs(int runs);
    // One inference that finds nothing it touches (weights, activations) in the caches, microseconds. How the data
    // is driven out is the backend's matter: the CPU flushes its cache lines, CUDA reads four times the L2 cache.
    virtual double time_cold() = 0;
    // The same, and writes the time each node took, in microseconds, in running order: the layers inside
    // their network. node_us has one entry a node. The times add up to the whole run but for one clock read a
    // node.
    virtual void run_timed(std::span<double> node_us) = 0;

    // Starts one layer by itself, for instruments that watch single layers; the layers before it have to have
    // run. It may still be running on return: wait() returns when all that was started is complete.
    virtual void start_layer(int node) = 0;
    virtual void wait() = 0;

    // Overwrites every output buffer with not-a-numbers, so that what a run does not write is seen.
    virtual void poison() = 0;

    virtual std::vector<float> output() const = 0;           // of the last node, dense NCHW
    virtual std::string implementation(int node) const = 0;  // the library's name of what runs it
    virtual std::size_t weight_bytes() const = 0;            // packed, as held on the device
    virtual std::size_t activation_bytes() const = 0;        // of the reused activation buffers together
};

}  // namespace hacscale
