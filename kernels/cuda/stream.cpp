#include "kernels/cuda/stream.hpp"

#include <nvtx3/nvToolsExt.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string_view>
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
        call<cudaStreamBeginCapture>("starting a graph capture", stream_, cudaStreamCaptureModeThreadLocal);
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
    call<cudaGraphGetEdges>(what, graph, nullptr, nullptr, nullptr, &edges.all);
    if (edges.all == 0) return edges;
    std::vector<cudaGraphNode_t> from(edges.all);
    std::vector<cudaGraphNode_t> to(edges.all);
    std::vector<cudaGraphEdgeData> data(edges.all);
    call<cudaGraphGetEdges>(what, graph, from.data(), to.data(), data.data(), &edges.all);
    edges.programmatic =
        static_cast<std::size_t>(std::count_if(data.begin(), data.end(), [](const cudaGraphEdgeData& edge) {
            return edge.type == cudaGraphDependencyTypeProgrammatic;
        }));
    return edges;
}

// Null where no tool listens.
nvtxDomainHandle_t domain() {
    static const nvtxDomainHandle_t handle = nvtxDomainCreateA("hacscale");
    return handle;
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
    call<cudaStreamCreateWithFlags>("creating a stream", &stream, cudaStreamNonBlocking);
    stream_.reset(stream);
}

void Stream::synchronize(const CallSite& site) const {
    call<cudaStreamSynchronize>(site, get());
}

Event::Event() {
    cudaEvent_t event = nullptr;
    call<cudaEventCreate>("creating an event", &event);
    event_.reset(event);
}

void Event::record(const Stream& stream) const {
    call<cudaEventRecord>("recording an event", get(), stream.get());
}

void Event::record_in_graph(const Stream& stream) const {
    call<cudaEventRecordWithFlags>("recording an event in a graph", get(), stream.get(),
                                   cudaEventRecordExternal);
}

double elapsed_us(const Event& begin, const Event& end) {
    float milliseconds = 0.0F;
    call<cudaEventElapsedTime>("reading the time between two events", &milliseconds, begin.get(), end.get());
    return 1e3 * static_cast<double>(milliseconds);
}

CapturedGraph CapturedGraph::capture(const Stream& stream, const std::function<void()>& enqueue) {
    Capture capture(stream);
    enqueue();
    const GraphTemplate captured = capture.finish();
    cudaGraphExec_t executable = nullptr;
    call<cudaGraphInstantiate>("instantiating a graph", &executable, captured.get(), 0);
    CapturedGraph graph;
    graph.graph_.reset(executable);
    graph.edges_ = edges_of(captured.get());
    call<cudaGraphUpload>("uploading a graph", executable, stream.get());
    return graph;
}

void CapturedGraph::launch(const Stream& stream) const {
    call<cudaGraphLaunch>("launching a graph", graph_.get(), stream.get());
}

PrefixGraphs::PrefixGraphs(const Stream& stream, std::size_t nodes,
                           const std::function<void(std::size_t)>& enqueue)
    : prefixes_(nodes), order_(nodes) {
    for (std::size_t last = 0; last < nodes; ++last) {
        Prefix& prefix = prefixes_[last];
        prefix.graph = CapturedGraph::capture(stream, [&] {
            prefix.begin.record_in_graph(stream);
            for (std::size_t node = 0; node <= last; ++node) enqueue(node);
            prefix.end.record_in_graph(stream);
        });
    }
    std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void PrefixGraphs::time(const Stream& stream, const CapturedGraph& whole_network,
                        std::span<double> prefix_us) {
    std::shuffle(order_.begin(), order_.end(), generator_);
    // All of them are started before the first one's time is asked for: the device never waits for the host.
    for (const std::size_t index : order_) {
        whole_network.launch(stream);
        prefixes_[index].graph.launch(stream);
    }
    whole_network.launch(stream);
    stream.synchronize("running the network up to each of its layers");
    for (std::size_t i = 0; i < prefixes_.size(); ++i) {
        prefix_us[i] = elapsed_us(prefixes_[i].begin, prefixes_[i].end);
    }
}

bool ranges_are_seen() {
    return domain() != nullptr;
}

LayerRange::LayerRange(const std::string& name) {
    if (!ranges_are_seen()) return;
    nvtxEventAttributes_t attributes{};
    attributes.version = NVTX_VERSION;
    attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
    attributes.message.ascii = name.c_str();
    nvtxDomainRangePushEx(domain(), &attributes);
}

LayerRange::~LayerRange() {
    if (ranges_are_seen()) nvtxDomainRangePop(domain());
}

bool programmatic_launches_wanted() {
    const char* const value = std::getenv("HACSCALE_PDL");
    const std::string_view text = value == nullptr ? "" : value;
    if (!text.empty() && text != "0" && text != "1") {
        throw InputError("HACSCALE_PDL is '" + std::string(text) + "'; it may be 0 or 1");
    }
    return text == "1";
}

}  // namespace hacscale::cuda
