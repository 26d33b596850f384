// How work gets onto a device: streams, events and graphs of the CUDA runtime, owned; graphs that time a network's
// layers; ranges that tools see; and whether kernels overlap. Each object belongs to the device that was current when
// it was made. Destructors ignore errors: after a sticky one every call fails, and it has been told already.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace hacscale::cuda {

struct StreamDeleter {
    void operator()(cudaStream_t stream) const noexcept;
};
struct EventDeleter {
    void operator()(cudaEvent_t event) const noexcept;
};
struct GraphDeleter {
    void operator()(cudaGraphExec_t graph) const noexcept;
};

// Private to its owner: does not wait for the default stream, nor the other way round.
class Stream {
public:
    Stream();
    cudaStream_t get() const { return stream_.get(); }
    void synchronize(const CallSite& site) const;

private:
    std::unique_ptr<std::remove_pointer_t<cudaStream_t>, StreamDeleter> stream_;
};

// A point in a stream whose time the device takes.
class Event {
public:
    Event();
    cudaEvent_t get() const { return event_.get(); }
    void record(const Stream& stream) const;
    // While `stream` is being captured: a node of the graph that records the event at each launch.
    void record_in_graph(const Stream& stream) const;

private:
    std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, EventDeleter> event_;
};

// By the device's clock; both events have to be complete.
double elapsed_us(const Event& begin, const Event& end);

// Which work of a graph waits for which. A programmatic edge lets a kernel start before the one in front of it
// has ended; libraries may make such edges, too.
struct GraphEdges {
    std::size_t all = 0;
    std::size_t programmatic = 0;
};

// Work that was recorded once and is started as a whole.
class CapturedGraph {
public:
    // Captures what `enqueue` puts into the stream. When it throws, the capture is ended and the stream can
    // be used as before.
    static CapturedGraph capture(const Stream& stream, const std::function<void()>& enqueue);
    void launch(const Stream& stream) const;
    const GraphEdges& edges() const { return edges_; }

private:
    GraphEdges edges_;
    std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, GraphDeleter> graph_;
};

// What a network takes up to each of its layers: for each layer a graph that runs the network as far as that
// layer, with an event at either end and none inside. Layer i took what graph i took longer than graph i - 1.
//
// So no clock comes between two layers: kernels that start while the one before drains do so, as in a plain run.
// Every graph ends with the device drained, which cancels in the differences. A shorter graph would find more of
// its data in the caches than the network does, so the whole network runs before each; the order is random, so
// that drift of the clocks does not land on one layer.
class PrefixGraphs {
public:
    // `enqueue` puts one node into the stream.
    PrefixGraphs(const Stream& stream, std::size_t nodes, const std::function<void(std::size_t)>& enqueue);
    // Runs each graph once, and then the whole network, since a prefix may leave something else where the network's
    // output was. prefix_us has one entry a node: the time up to its end, microseconds.
    void time(const Stream& stream, const CapturedGraph& whole_network, std::span<double> prefix_us);

private:
    struct Prefix {
        Event begin;
        Event end;
        CapturedGraph graph;
    };
    std::vector<Prefix> prefixes_;
    std::vector<std::size_t> order_;
    std::mt19937_64 generator_{1};
};

// ---- Ranges of NVTX ----
// Ranges of NVTX, by which Nsight Systems shows what the host was doing and Nsight Compute chooses kernels:
// one a layer, in the domain "hacscale". They are for tools that are attached from outside; where none is, a
// range costs one comparison. NVTX is headers only, and finds the tool when the first range is opened.

// Whether a tool listens. It has to be attached before the first question, and stays until the process ends.
bool ranges_are_seen();

// Open as long as it lives; on the calling thread, one within the other.
class LayerRange {
public:
    explicit LayerRange(const std::string& name);
    ~LayerRange();
    LayerRange(const LayerRange&) = delete;
    LayerRange& operator=(const LayerRange&) = delete;
};

// ---- Programmatic dependent launch ----
// On devices of compute capability 9.0 and newer: a kernel of this project may
// be launched before the kernel in front of it has ended. It loads what that kernel does not write (weights),
// and then waits for it; the time that a launch takes is spent meanwhile.
//
// Off unless the environment variable HACSCALE_PDL is 1. It is meant to shorten networks, but a clock between layers
// keeps their kernels apart, so rows are then timed by prefixes only (NetworkRunner::kernels_overlap). The
// fingerprint of a device says whether it was on.
//
// What makes it safe: every kernel waits for the one in front of it, also if it needs nothing of it, before
// it stores anything or lets the next kernel start (device/execute.cuh). So when a kernel has waited, all
// before it have ended, and their memory may be written over. Kernels of cuDNN are launched as ever.

// Throws InputError when HACSCALE_PDL is none of 0, 1 and nothing.
bool programmatic_launches_wanted();

}  // namespace hacscale::cuda
