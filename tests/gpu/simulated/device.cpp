#include "tests/gpu/simulated/device.hpp"

#include <fmt/format.h>
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace hacscale::simulated {
namespace {

constexpr std::align_val_t alignment{256};
constexpr std::size_t zone_bytes = 256;  // before and behind each block; nobody may touch them
constexpr unsigned char zone_value = 0xA5;
// What a new block holds, and one that was freed: not-a-numbers in every data type.
constexpr unsigned char poison_value = 0xFF;
// Larger blocks are only poisoned so far from either end, which spares the host's memory.
constexpr std::size_t poisoned_end_bytes = std::size_t{1} << 20;

void poison(std::byte* data, std::size_t bytes) {
    const std::size_t end = std::min(bytes, poisoned_end_bytes);
    std::memset(data, poison_value, end);
    std::memset(data + bytes - end, poison_value, end);
}

bool untouched(const std::byte* zone) {
    return std::all_of(zone, zone + zone_bytes, [](std::byte b) { return b == std::byte{zone_value}; });
}

}  // namespace

// Never destroyed: the backend's own statics are used until the process ends.
Device& Device::instance() {
    static Device* const device = new Device;
    return *device;
}

void Device::break_kernel(int n, cudaError_t error) {
    kernels_left_ = n;
    error_to_come_ = error;
}

void Device::mend() {
    broken_ = unsupported_reason_ = last_error_ = error_to_come_ = cudaSuccess;
    allocations_left_ = kernels_left_ = 0;
    capacity_bytes = usual_capacity_bytes;
    behind_event_us = nullptr;
    no_plans.clear();
    orphans_.clear();
    for (const auto& [handle, stream] : streams_) stream->queue.clear();
    for (const auto& [handle, event] : events_) event->pending = 0;
    for (const auto& give_back : std::exchange(given_back_, {})) give_back();
}

std::vector<std::string> Device::take_mistakes() {
    return std::exchange(mistakes_, {});
}

cudaError_t Device::result(cudaError_t error) {
    if (error != cudaSuccess) last_error_ = error;
    return error;
}

cudaError_t Device::last_error() {
    if (broken_ != cudaSuccess) return broken_;
    return std::exchange(last_error_, cudaSuccess);
}

cudaError_t Device::refuse_while_capturing() {
    for (const auto& [handle, stream] : streams_) {
        if (stream->capture == nullptr) continue;
        stream->capture_spoiled = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    return cudaSuccess;
}

bool Device::next_allocation_fails() {
    return allocations_left_ > 0 && --allocations_left_ == 0;
}

cudaError_t Device::allocate(void** data, std::size_t bytes) {
    if (next_allocation_fails() || bytes > capacity_bytes - std::min(bytes_, capacity_bytes)) {
        return cudaErrorMemoryAllocation;
    }
    auto* const whole = static_cast<std::byte*>(::operator new(bytes + 2 * zone_bytes, alignment));
    std::byte* const block = whole + zone_bytes;
    poison(block, bytes);
    for (std::byte* zone : {whole, block + bytes}) {
        std::memset(zone, zone_value, zone_bytes);
        ASAN_POISON_MEMORY_REGION(zone, zone_bytes);
    }
    blocks_[block] = bytes;
    bytes_ += bytes;
    *data = block;
    return cudaSuccess;
}

// Waits for all work first, as the real one does.
cudaError_t Device::release(void* data) {
    if (data == nullptr) return cudaSuccess;
    drain_all();
    if (broken_ != cudaSuccess) {
        take_back_later([this, data] { release(data); });
        return broken_;
    }
    const auto block = blocks_.find(static_cast<std::byte*>(data));
    if (block == blocks_.end()) {
        mistake("memory was freed that is none of the device's, or was freed before");
        return cudaErrorInvalidValue;
    }
    free_block(block->first, block->second);
    return cudaSuccess;
}

void Device::free_block(std::byte* data, std::size_t bytes) {
    for (std::byte* zone : {data - zone_bytes, data + bytes}) {
        ASAN_UNPOISON_MEMORY_REGION(zone, zone_bytes);
        if (!untouched(zone)) {
            mistake(fmt::format("something was written {} a block of {} bytes",
                                zone < data ? "before" : "behind", bytes));
        }
    }
    poison(data, bytes);
    ::operator delete(data - zone_bytes, alignment);
    bytes_ -= bytes;
    blocks_.erase(data);
}

bool Device::holds(const void* data, std::size_t bytes) const {
    const auto* const begin = static_cast<const std::byte*>(data);
    return std::any_of(blocks_.begin(), blocks_.end(), [&](const auto& block) {
        return begin >= block.first && begin + bytes <= block.first + block.second;
    });
}

void Device::launch(cudaStream_t stream, double duration_us, std::function<void()> kernel,
                    bool programmatic) {
    if (unsupported_reason_ != cudaSuccess) {
        result(unsupported_reason_);
        return;
    }
    result(enqueue(stream, {duration_us, std::move(kernel), nullptr, true, programmatic}));
}

cudaError_t Device::enqueue(cudaStream_t stream, Work work) {
    if (broken_ != cudaSuccess) return broken_;
    if (!alive(stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capture_spoiled) return cudaErrorStreamCaptureInvalidated;
    if (stream->capture != nullptr) {
        stream->capture->nodes.push_back(std::move(work));
        return cudaSuccess;
    }
    if (work.event != nullptr) {
        work.event->recorded = true;
        work.event->captured = false;
        ++work.event->pending;
    }
    stream->queue.push_back(std::move(work));
    return cudaSuccess;
}

cudaError_t Device::launch_graph(cudaGraphExec_t graph, cudaStream_t stream) {
    for (const Work& node : graph->nodes) {
        if (node.event != nullptr && !alive(node.event)) {
            mistake("a graph was launched that records an event that is no more");
            return cudaErrorInvalidResourceHandle;
        }
        if (const cudaError_t error = enqueue(stream, node); error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

void Device::run(Work& work) {
    if (work.kernel && event_before_ && behind_event_us) clock_us_ += behind_event_us(work.duration_us);
    event_before_ = work.event != nullptr;
    clock_us_ += work.duration_us;
    if (work.kernel) {
        ++kernels_run_;
        if (kernels_left_ > 0 && --kernels_left_ == 0) {
            broken_ = error_to_come_;
            return;
        }
    }
    if (work.run) work.run();
    if (work.event == nullptr) return;
    if (!alive(work.event)) {
        mistake("an event was destroyed before it was complete");
        return;
    }
    --work.event->pending;
    work.event->at_us = clock_us_;
}

void Device::drain(CUstream_st& stream) {
    while (!stream.queue.empty() && broken_ == cudaSuccess) {
        Work work = std::move(stream.queue.front());
        stream.queue.pop_front();
        run(work);
    }
    if (broken_ != cudaSuccess) stream.queue.clear();
}

void Device::drain_all() {
    for (const auto& orphan : orphans_) drain(*orphan);
    orphans_.clear();
    for (const auto& [handle, stream] : streams_) drain(*stream);
}

cudaError_t Device::synchronize(cudaStream_t stream) {
    if (!alive(stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) {
        stream->capture_spoiled = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    drain(*stream);
    return broken_;
}

cudaError_t Device::synchronize() {
    if (const cudaError_t refused = refuse_while_capturing(); refused != cudaSuccess) return refused;
    drain_all();
    return broken_;
}

cudaError_t Device::destroy(cudaStream_t stream) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return cudaErrorInvalidResourceHandle;
    if (!stream->queue.empty()) orphans_.push_back(std::move(found->second));
    streams_.erase(found);
    return cudaSuccess;
}

cudaError_t Device::destroy(cudaEvent_t event) {
    return events_.erase(event) == 1 ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

cudaError_t Device::destroy(cudaGraph_t graph) {
    return graphs_.erase(graph) == 1 ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t Device::destroy(cudaGraphExec_t graph) {
    return executables_.erase(graph) == 1 ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace hacscale::simulated
