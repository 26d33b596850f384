// The functions of the CUDA runtime that kernels/cuda calls, for the simulated device. Linked before the
// runtime's library, they take its place; were one missing, the library's would come in with all others, and
// the linker would refuse their doubles.
#include <cuda_runtime_api.h>
#include <driver_types.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tests/gpu/simulated/device.hpp"

namespace {

using hacscale::simulated::Device;

constexpr double event_us = 0.5;
constexpr double copy_us = 1.0;
constexpr double copied_bytes_per_us = 2e6;
constexpr double graph_start_us = 1.0;

Device& device() {
    return Device::instance();
}

// A call of the runtime: nothing works on a broken device, and errors are remembered.
template <typename Body>
cudaError_t call(const Body& body) {
    if (device().broken() != cudaSuccess) return device().broken();
    return device().result(body());
}

// The same for calls that give something back.
template <typename Body>
cudaError_t giving_back(const Body& body) {
    if (device().broken() != cudaSuccess) device().take_back_later(body);
    return call(body);
}

bool there_is(int index) {
    return index >= 0 && index < static_cast<int>(device().selection.size());
}

// On the current device, as calls do that need one.
cudaError_t make_context() {
    const cudaError_t error = device().selection.at(device().current);
    if (error == cudaSuccess) device().contexts.insert(device().current);
    return error;
}

double duration_of(std::size_t bytes) {
    return copy_us + static_cast<double>(bytes) / copied_bytes_per_us;
}

// Whether either end is where the kind of copy says.
bool copy_is_possible(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return to_device == device().holds(to, bytes) && from_device == device().holds(from, bytes);
}

}  // namespace

extern "C" {

// ---- Errors.

cudaError_t cudaGetLastError() {
    return device().last_error();
}

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorIllegalAddress:
            return "cudaErrorIllegalAddress";
        case cudaErrorLaunchFailure:
            return "cudaErrorLaunchFailure";
        case cudaErrorStreamCaptureUnsupported:
            return "cudaErrorStreamCaptureUnsupported";
        case cudaErrorStreamCaptureInvalidated:
            return "cudaErrorStreamCaptureInvalidated";
        default:
            return "an error of the simulated runtime";
    }
}

const char* cudaGetErrorString(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "no error";
        case cudaErrorMemoryAllocation:
            return "out of memory";
        case cudaErrorIllegalAddress:
            return "an illegal memory access was encountered";
        case cudaErrorLaunchFailure:
            return "unspecified launch failure";
        case cudaErrorStreamCaptureUnsupported:
            return "operation not permitted when stream is capturing";
        case cudaErrorStreamCaptureInvalidated:
            return "operation failed due to a previous error during capture";
        default:
            return "number in driver_types.h";
    }
}

// ---- The devices: H200s, but for their memory and L2 cache, which are small. Work runs on the first; another process
// has the second for itself, and the third is forbidden.

cudaError_t cudaGetDeviceCount(int* count) {
    return call([&] {
        *count = static_cast<int>(device().selection.size());
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int index) {
    return call([&] {
        if (!there_is(index)) return cudaErrorInvalidDevice;
        device().current = index;
        return make_context();
    });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
    return call([&] {
        if (!there_is(index)) return cudaErrorInvalidDevice;
        *properties = {};
        std::snprintf(properties->name, sizeof(properties->name), "Simulated H200");
        properties->major = 9;
        properties->minor = 0;
        properties->multiProcessorCount = 132;
        properties->totalGlobalMem = device().capacity_bytes;
        properties->l2CacheSize = 4 << 20;
        properties->memoryBusWidth = 6144;
        properties->ECCEnabled = 1;
        properties->sharedMemPerBlockOptin = 227 * 1024;
        properties->pciBusID = 0x3b + index;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
    return call([&] {
        if (!there_is(index)) return cudaErrorInvalidDevice;
        switch (attribute) {
            case cudaDevAttrClockRate:
                *value = 1980000;
                return cudaSuccess;
            case cudaDevAttrMemoryClockRate:
                *value = 3201000;
                return cudaSuccess;
            case cudaDevAttrComputeMode:
                *value = device().compute_modes.at(index);
                return cudaSuccess;
            case cudaDevAttrKernelExecTimeout:
                *value = 0;
                return cudaSuccess;
            default:
                return cudaErrorInvalidValue;
        }
    });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    return call([&] {
        if (const cudaError_t error = make_context(); error != cudaSuccess) return error;
        *total = device().capacity_bytes;
        *free = *total - std::min(device().bytes(), *total);
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceSynchronize() {
    return call([] {
        const cudaError_t error = make_context();
        return error == cudaSuccess ? device().synchronize() : error;
    });
}

// ---- Memory.

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
    return call([&] {
        if (const cudaError_t refused = device().refuse_while_capturing(); refused != cudaSuccess) {
            return refused;
        }
        return device().allocate(data, bytes);
    });
}

cudaError_t cudaFree(void* data) {
    return giving_back([=] {
        if (const cudaError_t refused = device().refuse_while_capturing(); refused != cudaSuccess) {
            return refused;
        }
        return device().release(data);
    });
}

// At once: it does not wait for the streams, none of which is a blocking one.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    return call([&] {
        if (const cudaError_t refused = device().refuse_while_capturing(); refused != cudaSuccess) {
            return refused;
        }
        if (!copy_is_possible(to, from, bytes, kind)) return cudaErrorInvalidValue;
        if (bytes > 0) std::memcpy(to, from, bytes);
        return cudaSuccess;
    });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return call([&] {
        if (!copy_is_possible(to, from, bytes, kind)) return cudaErrorInvalidValue;
        return device().enqueue(stream, {duration_of(bytes), [=] { std::memcpy(to, from, bytes); }});
    });
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
    return call([&] {
        if (!device().holds(data, bytes)) return cudaErrorInvalidValue;
        return device().enqueue(stream, {duration_of(bytes), [=] { std::memset(data, value, bytes); }});
    });
}

// ---- Streams and their capture.

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) {
    return call([&] { return device().create(stream); });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    return giving_back([=] { return device().destroy(stream); });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    return call([&] { return device().synchronize(stream); });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    return call([&] {
        if (!device().alive(stream)) return cudaErrorInvalidResourceHandle;
        if (stream->capture != nullptr) return cudaErrorIllegalState;
        stream->capture = std::make_unique<CUgraph_st>();
        return cudaSuccess;
    });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    *graph = nullptr;
    return call([&] {
        if (!device().alive(stream)) return cudaErrorInvalidResourceHandle;
        if (stream->capture == nullptr) return cudaErrorIllegalState;
        std::unique_ptr<CUgraph_st> captured = std::move(stream->capture);
        if (std::exchange(stream->capture_spoiled, false)) return cudaErrorStreamCaptureInvalidated;
        return device().keep(graph, std::move(captured));
    });
}

// ---- Graphs.

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    return call([&] {
        if (!device().alive(graph)) return cudaErrorInvalidValue;
        const cudaError_t error = device().create(executable);
        if (error == cudaSuccess) (*executable)->nodes = graph->nodes;
        return error;
    });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t graph, cudaStream_t stream) {
    return call([&] {
        if (!device().alive(graph)) return cudaErrorInvalidValue;
        return device().enqueue(stream, {copy_us, nullptr});
    });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
    return call([&] {
        if (!device().alive(graph)) return cudaErrorInvalidValue;
        const cudaError_t error = device().enqueue(stream, {graph_start_us, nullptr});
        return error == cudaSuccess ? device().launch_graph(graph, stream) : error;
    });
}

// Nodes of a captured stream follow each other. An edge is programmatic if the kernel behind it asked for that
// and a kernel is in front of it.
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                              cudaGraphEdgeData* data, size_t* count) {
    return call([&] {
        if (!device().alive(graph) || (data != nullptr && (from == nullptr || to == nullptr))) {
            return cudaErrorInvalidValue;
        }
        const std::size_t edges = graph->nodes.empty() ? 0 : graph->nodes.size() - 1;
        const std::size_t wanted = from == nullptr ? 0 : std::min(*count, edges);
        *count = edges;
        for (std::size_t i = 0; i < wanted; ++i) {
            from[i] = to[i] = nullptr;  // nodes have no handles here
            if (data == nullptr) continue;
            data[i] = {};
            if (graph->nodes[i].kernel && graph->nodes[i + 1].programmatic) {
                data[i].type = cudaGraphDependencyTypeProgrammatic;
                data[i].from_port = cudaGraphKernelNodePortProgrammatic;
            }
        }
        return cudaSuccess;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    return giving_back([=] { return device().destroy(graph); });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
    return giving_back([=] { return device().destroy(graph); });
}

// ---- Events.

cudaError_t cudaEventCreate(cudaEvent_t* event) {
    return call([&] { return device().create(event); });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    return giving_back([=] { return device().destroy(event); });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    return call([&] {
        if (!device().alive(event) || !device().alive(stream)) return cudaErrorInvalidResourceHandle;
        if (stream->capture != nullptr) {
            event->recorded = event->captured = true;
            return cudaSuccess;
        }
        return device().enqueue(stream, {event_us, nullptr, event});
    });
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned int flags) {
    if (flags != cudaEventRecordExternal) return cudaEventRecord(event, stream);
    return call([&] {
        if (!device().alive(event) || !device().alive(stream)) return cudaErrorInvalidResourceHandle;
        if (stream->capture == nullptr) return cudaErrorInvalidValue;
        return device().enqueue(stream, {event_us, nullptr, event});
    });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
    return call([&] {
        for (const cudaEvent_t event : {begin, end}) {
            if (!device().alive(event) || !event->recorded) return cudaErrorInvalidResourceHandle;
            if (event->captured) return cudaErrorCapturedEvent;
            if (event->pending > 0) return cudaErrorNotReady;
        }
        *milliseconds = static_cast<float>((end->at_us - begin->at_us) / 1e3);
        return cudaSuccess;
    });
}

}  // extern "C"
