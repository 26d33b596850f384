#include "kernels/cuda/stream.hpp"

#include <algorithm>
#include <vector>

#include "kernels/cuda/cuda_error.hpp"

namespace hacscale::cuda {
namespace {

struct TemplateDeleter {
    void operator()(cudaGraph_t graph) const noexcept {
        if (cudaGraphDestroy(graph) != cudaSuccess) cudaGetLastError();
    }
};
using GraphTemplate = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, TemplateDeleter>;

// Ends the capture whatever happens; a stream that is left capturing refuses all other work.
class Capture {
public:
    explicit Capture(const Stream& stream) : stream_(stream.get()) {
        // Other threads (an instrument's) may allocate meanwhile without spoiling the capture.
        check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "starting a graph capture");
    }
    ~Capture() {
        if (stream_ == nullptr) return;
        cudaGraph_t graph = nullptr;
        cudaStreamEndCapture(stream_, &graph);
        const GraphTemplate discarded(graph);
        cudaGetLastError();
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    GraphTemplate finish() {
        cudaGraph_t graph = nullptr;
        const cudaError_t error = cudaStreamEndCapture(stream_, &graph);
        stream_ = nullptr;
        GraphTemplate captured(graph);
        check(error, "ending a graph capture");
        return captured;
    }

private:
    cudaStream_t stream_;
};

GraphEdges edges_of(cudaGraph_t graph) {
    constexpr std::string_view what = "reading a graph's edges";
    GraphEdges edges;
    check(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges.all), what);
    if (edges.all == 0) return edges;
    std::vector<cudaGraphNode_t> from(edges.all);
    std::vector<cudaGraphNode_t> to(edges.all);
    std::vector<cudaGraphEdgeData> data(edges.all);
    check(cudaGraphGetEdges(graph, from.data(), to.data(), data.data(), &edges.all), what);
    edges.programmatic =
        static_cast<std::size_t>(std::count_if(data.begin(), data.end(), [](const cudaGraphEdgeData& edge) {
            return edge.type == cudaGraphDependencyTypeProgrammatic;
        }));
    return edges;
}

}  // namespace

void StreamDeleter::operator()(cudaStream_t stream) const noexcept {
    if (cudaStreamDestroy(stream) != cudaSuccess) cudaGetLastError();
}

void EventDeleter::operator()(cudaEvent_t event) const noexcept {
    if (cudaEventDestroy(event) != cudaSuccess) cudaGetLastError();
}

void GraphDeleter::operator()(cudaGraphExec_t graph) const noexcept {
    if (cudaGraphExecDestroy(graph) != cudaSuccess) cudaGetLastError();
}

Stream::Stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    stream_.reset(stream);
}

void Stream::synchronize(std::string_view what) const {
    check(cudaStreamSynchronize(get()), what);
}

Event::Event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "creating an event");
    event_.reset(event);
}

void Event::record(const Stream& stream) const {
    check(cudaEventRecord(get(), stream.get()), "recording an event");
}

void Event::record_in_graph(const Stream& stream) const {
    check(cudaEventRecordWithFlags(get(), stream.get(), cudaEventRecordExternal),
          "recording an event in a graph");
}

double elapsed_us(const Event& begin, const Event& end) {
    float milliseconds = 0.0F;
    check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), "reading the time between two events");
    return 1e3 * static_cast<double>(milliseconds);
}

Graph Graph::capture(const Stream& stream, const std::function<void()>& enqueue) {
    Capture capture(stream);
    enqueue();
    const GraphTemplate captured = capture.finish();
    cudaGraphExec_t executable = nullptr;
    check(cudaGraphInstantiate(&executable, captured.get(), 0), "instantiating a graph");
    Graph graph;
    graph.graph_.reset(executable);
    graph.edges_ = edges_of(captured.get());
    check(cudaGraphUpload(executable, stream.get()), "uploading a graph");
    return graph;
}

void Graph::launch(const Stream& stream) const {
    check(cudaGraphLaunch(graph_.get(), stream.get()), "launching a graph");
}

}  // namespace hacscale::cuda
