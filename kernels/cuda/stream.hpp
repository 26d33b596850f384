// Streams, events and graphs of the CUDA runtime, owned. Each belongs to the device that was current when it
// was made. Destructors ignore errors: after a sticky one every call fails, and it has been told already.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>

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
    void synchronize(std::string_view what) const;

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
// has ended (programmatic_launch.hpp); libraries may make such edges, too.
struct GraphEdges {
    std::size_t all = 0;
    std::size_t programmatic = 0;
};

// Work that was recorded once and is started as a whole.
class Graph {
public:
    // Captures what `enqueue` puts into the stream. When it throws, the capture is ended and the stream can
    // be used as before.
    static Graph capture(const Stream& stream, const std::function<void()>& enqueue);
    void launch(const Stream& stream) const;
    const GraphEdges& edges() const { return edges_; }

private:
    GraphEdges edges_;
    std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, GraphDeleter> graph_;
};

}  // namespace hacscale::cuda
