// A GPU made of host memory, for tests of the CUDA backend where there is none. The CUDA runtime's functions
// (cuda_runtime.cpp), the launchers of the hand-written kernels (launch.cpp) and cuDNN's plans (plans.cpp)
// work on it.
//
// Streams are queues: what is put into one runs when it is synchronized, no sooner, so that a result that is
// read too early is seen to be missing. While a stream is captured, its work goes into a graph instead. Time
// is the device's own: each piece of work says how long it takes, and computing it on the CPU costs none of
// it, so times are the same in every run. One thread at a time.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace hacscale::simulated {

struct Work {
    double duration_us = 0.0;
    std::function<void()> run;    // null for events
    cudaEvent_t event = nullptr;  // takes the time when everything before it is done
    bool kernel = false;
    bool programmatic = false;  // a kernel that may be launched before the one in front of it has ended
};

}  // namespace hacscale::simulated

// What the runtime's handles point to.
struct CUgraph_st {
    std::vector<hacscale::simulated::Work> nodes;
};
struct CUgraphExec_st {
    std::vector<hacscale::simulated::Work> nodes;
};
struct CUstream_st {
    std::deque<hacscale::simulated::Work> queue;
    std::unique_ptr<CUgraph_st> capture;  // not null while the stream is captured
    bool capture_spoiled = false;
};
struct CUevent_st {
    bool recorded = false;
    bool captured = false;  // last recorded as a mere dependency of a capture: it has no time
    int pending = 0;
    double at_us = 0.0;
};

namespace hacscale::simulated {

constexpr std::size_t usual_capacity_bytes = std::size_t{8} << 30;

class Device {
public:
    static Device& instance();

    // ---- For tests.

    std::size_t capacity_bytes = usual_capacity_bytes;
    // What cudaSetDevice answers for each GPU; those but the first are only there to be looked at.
    std::vector<cudaError_t> selection{cudaSuccess, cudaErrorDevicesUnavailable, cudaErrorDevicesUnavailable};
    std::vector<int> compute_modes{cudaComputeModeDefault, cudaComputeModeExclusiveProcess,
                                   cudaComputeModeProhibited};
    // GPUs on which there is a context, as cudaSetDevice and cudaMemGetInfo make one.
    std::set<int> contexts;
    int current = 0;
    // When not empty, cuDNN finds no plans, and this is what it says.
    std::string no_plans;
    // What a kernel of a duration takes longer when it starts right behind an event; null: nothing.
    std::function<double(double duration_us)> behind_event_us;

    // From now on, the n-th thing that needs device memory (a block, a stream, an event, a graph) gets none;
    // 0: all do, as long as there is room.
    void fail_allocation(int n) { allocations_left_ = n; }
    // The n-th kernel from now breaks the context: this error is what all later calls return.
    void break_kernel(int n, cudaError_t error = cudaErrorIllegalAddress);
    // From now on no kernel can be launched, for this reason; the context stays whole.
    void refuse_kernels(cudaError_t error) { unsupported_reason_ = error; }
    // Whether what was to fail has not yet: the work under test was over before.
    bool fault_is_ahead() const { return allocations_left_ > 0 || kernels_left_ > 0; }
    // The device works again, without faults to come; what was given back while it was broken is free now.
    void mend();

    std::size_t blocks() const { return blocks_.size(); }
    std::size_t bytes() const { return bytes_; }
    std::size_t handles() const {
        return streams_.size() + events_.size() + graphs_.size() + executables_.size();
    }
    std::int64_t kernels_run() const { return kernels_run_; }
    double clock_us() const { return clock_us_; }
    // What a real device would answer with undefined behaviour, in words. Taken off the list.
    std::vector<std::string> take_mistakes();

    // ---- For launchers: as <<<>>>, it leaves its error for cudaGetLastError().

    void launch(cudaStream_t stream, double duration_us, std::function<void()> kernel,
                bool programmatic = false);

    // ---- For the runtime. An error that is returned is also what cudaGetLastError() tells.

    cudaError_t result(cudaError_t error);  // of a call that ends so
    cudaError_t last_error();
    cudaError_t broken() const { return broken_; }
    // A broken device takes nothing back; the simulation does when it is mended, so that it leaks nothing.
    void take_back_later(std::function<void()> give_back) { given_back_.push_back(std::move(give_back)); }
    // Refuses what may not be done while a stream is captured, and spoils the capture.
    cudaError_t refuse_while_capturing();

    cudaError_t allocate(void** data, std::size_t bytes);
    cudaError_t release(void* data);
    // Whether this range is in one block.
    bool holds(const void* data, std::size_t bytes) const;

    cudaError_t enqueue(cudaStream_t stream, Work work);
    cudaError_t synchronize(cudaStream_t stream);
    cudaError_t synchronize();  // all streams
    cudaError_t launch_graph(cudaGraphExec_t graph, cudaStream_t stream);

    template <typename Handle>
    cudaError_t create(Handle** handle) {
        if (next_allocation_fails()) return cudaErrorMemoryAllocation;
        return keep(handle, std::make_unique<Handle>());
    }
    template <typename Handle>
    cudaError_t keep(Handle** handle, std::unique_ptr<Handle> owned) {
        *handle = owned.get();
        owners<Handle>()[*handle] = std::move(owned);
        return cudaSuccess;
    }
    template <typename Handle>
    bool alive(Handle* handle) {
        return owners<Handle>().count(handle) == 1;
    }
    cudaError_t destroy(cudaStream_t stream);
    cudaError_t destroy(cudaEvent_t event);
    cudaError_t destroy(cudaGraph_t graph);
    cudaError_t destroy(cudaGraphExec_t graph);

private:
    template <typename Handle>
    using Owners = std::map<Handle*, std::unique_ptr<Handle>>;
    template <typename Handle>
    Owners<Handle>& owners();

    bool next_allocation_fails();
    void mistake(const std::string& text) { mistakes_.push_back(text); }
    void run(Work& work);
    void drain(CUstream_st& stream);
    void drain_all();
    void free_block(std::byte* data, std::size_t bytes);

    std::map<std::byte*, std::size_t> blocks_;
    std::size_t bytes_ = 0;
    Owners<CUstream_st> streams_;
    std::vector<std::unique_ptr<CUstream_st>> orphans_;  // destroyed with work left, which still runs
    Owners<CUevent_st> events_;
    Owners<CUgraph_st> graphs_;
    Owners<CUgraphExec_st> executables_;
    double clock_us_ = 0.0;
    bool event_before_ = false;  // what ran last was an event
    std::int64_t kernels_run_ = 0;
    int allocations_left_ = 0;
    int kernels_left_ = 0;
    cudaError_t error_to_come_ = cudaSuccess;
    cudaError_t unsupported_reason_ = cudaSuccess;
    cudaError_t broken_ = cudaSuccess;
    cudaError_t last_error_ = cudaSuccess;
    std::vector<std::function<void()>> given_back_;
    std::vector<std::string> mistakes_;
};

template <>
inline Device::Owners<CUstream_st>& Device::owners() {
    return streams_;
}
template <>
inline Device::Owners<CUevent_st>& Device::owners() {
    return events_;
}
template <>
inline Device::Owners<CUgraph_st>& Device::owners() {
    return graphs_;
}
template <>
inline Device::Owners<CUgraphExec_st>& Device::owners() {
    return executables_;
}

}  // namespace hacscale::simulated
