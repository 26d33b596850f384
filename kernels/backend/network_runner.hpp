// A network compiled for one device, ready to run.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/ops/layer_weights.hpp"

namespace hacscale {

// What a runtime's own profiler says of a network's nodes.
struct ProfiledNodes {
    // Of each pass, or of all together where the profiler cannot tell them apart: microseconds of the operations that compute each
    // node; 0 of a node that the runtime computes within another's operation.
    std::vector<std::vector<double>> passes_us;
    // How many of the runtime's operations each node's time is of. What the runtime does between operations is in no time.
    std::vector<int> operations;
};

class NetworkRunner {
public:
    virtual ~NetworkRunner() = default;

    virtual void load(const std::vector<LayerWeights>& weights) = 0;  // one entry a node
    // The graph's input of this index: dense NCHW, f32, `batch` images; converted to the network's data type and
    // layout. Throws InputError for another number of values.
    virtual void set_input(std::size_t index, std::span<const float> nchw) = 0;

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
    // One inference with a clock read between every two nodes: writes what the clock read for each, in
    // microseconds, in running order. node_us has one entry a node.
    virtual void run_timed(std::span<double> node_us) = 0;
    // Whether those reads make the inference longer by more than can be ignored. What it takes longer than a plain
    // one is then in node_us, and for the caller to take off (profiler/timing/network_timer.hpp).
    virtual bool clock_takes_time() const { return false; }
    // Whether a kernel may start before the one in front of it has ended, unless a clock is read between them: then
    // run_timed() times another network than run() runs.
    virtual bool kernels_overlap() const { return false; }
    // Whether there is time_prefixes().
    virtual bool times_prefixes() const { return false; }
    // Runs each prefix of the network (its first node, its first two, ...) once by itself, without a clock inside,
    // in random order, and the whole network before each: writes the time of each, in microseconds, the shortest
    // first. prefix_us has one entry a node; the last is the whole network. Throws InputError where
    // times_prefixes() is false.
    virtual void time_prefixes(std::span<double> prefix_us);

    // Whether the times of nodes are those of a runtime's own profiler, and of no clock of ours.
    virtual bool has_profiler() const { return false; }
    // Runs this many passes under it. Where the profiler cannot tell passes apart, it gives one entry, the mean of all that it
    // has seen so far. Throws InputError where has_profiler() is false.
    virtual ProfiledNodes profile(int passes);

    // Starts one layer by itself, for instruments that watch single layers; the layers before it have to have
    // run. It may still be running on return: wait() returns when all that was started is complete.
    virtual void start_layer(int node) = 0;
    virtual void wait() = 0;

    // Overwrites every output buffer with not-a-numbers, so that what a run does not write is seen.
    virtual void poison() = 0;

    virtual std::vector<float> output(std::size_t index) const = 0;  // the graph's of this index, dense NCHW
    virtual std::string implementation(int node) const = 0;          // the library's name of what runs it
    virtual std::size_t weight_bytes() const = 0;                    // packed, as held on the device
    virtual std::size_t activation_bytes() const = 0;  // of the reused activation buffers together
};

// One entry an input of the graph.
void set_inputs(NetworkRunner& runner, const std::vector<std::vector<float>>& inputs);

}  // namespace hacscale
