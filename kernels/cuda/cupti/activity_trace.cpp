#include "kernels/cuda/cupti/activity_trace.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "kernels/cuda/cupti/cupti_library.hpp"

namespace hacscale::cupti {
namespace {

// Room for some twenty thousand records.
constexpr std::size_t buffer_bytes = std::size_t{8} << 20;

constexpr std::array recorded_kinds{CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, CUPTI_ACTIVITY_KIND_RUNTIME,
                                    CUPTI_ACTIVITY_KIND_DRIVER, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL};

// All buffers that CUPTI has or has filled.
class BufferPool {
public:
    std::uint8_t* lend() {
        auto buffer = std::make_unique<std::uint8_t[]>(buffer_bytes);
        std::uint8_t* const address = buffer.get();
        const std::scoped_lock lock(mutex_);
        lent_[address] = std::move(buffer);
        return address;
    }

    void take_back(std::uint8_t* address, std::size_t filled) {
        const std::scoped_lock lock(mutex_);
        std::size_t dropped = 0;
        if (count_dropped_ != nullptr && count_dropped_(nullptr, 0, &dropped) == CUPTI_SUCCESS) {
            dropped_ += static_cast<std::int64_t>(dropped);
        }
        const auto lent = lent_.find(address);
        if (lent == lent_.end()) return;
        if (filled > 0) filled_.push_back({std::move(lent->second), filled});
        lent_.erase(lent);
    }

    void forget_filled() {
        const std::scoped_lock lock(mutex_);
        filled_.clear();
    }

    // What `read` makes of the buffers that were filled.
    template <typename Read>
    auto filled(Read read) {
        const std::scoped_lock lock(mutex_);
        std::vector<std::span<std::uint8_t>> spans;
        for (const Filled& buffer : filled_) spans.emplace_back(buffer.bytes.get(), buffer.size);
        return read(std::span<const std::span<std::uint8_t>>(spans));
    }

    std::int64_t dropped() {
        const std::scoped_lock lock(mutex_);
        return dropped_;
    }

    // Callbacks are registered until CUPTI is detached; count_dropped is its function for what it could not
    // keep.
    bool registered() {
        const std::scoped_lock lock(mutex_);
        return count_dropped_ != nullptr;
    }
    void set_registered(decltype(&cuptiActivityGetNumDroppedRecords) count_dropped) {
        const std::scoped_lock lock(mutex_);
        count_dropped_ = count_dropped;
    }

private:
    struct Filled {
        std::unique_ptr<std::uint8_t[]> bytes;
        std::size_t size = 0;
    };
    std::mutex mutex_;
    std::map<std::uint8_t*, std::unique_ptr<std::uint8_t[]>> lent_;
    std::vector<Filled> filled_;
    std::int64_t dropped_ = 0;
    decltype(&cuptiActivityGetNumDroppedRecords) count_dropped_ = nullptr;
};

// Never destroyed: CUPTI may hand buffers back while the process ends.
BufferPool& pool() {
    static BufferPool* const the_pool = new BufferPool;
    return *the_pool;
}

void CUPTIAPI buffer_requested(std::uint8_t** buffer, std::size_t* size, std::size_t* max_records) {
    *max_records = 0;  // as many as fit
    *size = 0;
    *buffer = nullptr;
    try {
        *buffer = pool().lend();
        *size = buffer_bytes;
    } catch (const std::bad_alloc&) {
        // CUPTI counts what it cannot keep as dropped.
    }
}

void CUPTIAPI buffer_completed(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t,
                               std::size_t filled) {
    pool().take_back(buffer, filled);
}

}  // namespace

ActivityTrace::~ActivityTrace() {
    disable();
}

void ActivityTrace::start() {
    if (!pool().registered()) {
        check(cupti_, cupti_.activity_register_callbacks(buffer_requested, buffer_completed),
              "cuptiActivityRegisterCallbacks");
        pool().set_registered(cupti_.activity_get_num_dropped_records);
    }
    pool().forget_filled();
    for (const CUpti_ActivityKind kind : recorded_kinds) {
        check(cupti_, cupti_.activity_enable(kind), "cuptiActivityEnable");
        enabled_.push_back(kind);
    }
}

void ActivityTrace::record(std::uint64_t id, const std::function<void()>& launch_and_wait) {
    check(cupti_, cupti_.activity_push_external_id(layer_correlation, id),
          "cuptiActivityPushExternalCorrelationId");
    std::uint64_t popped = 0;
    try {
        launch_and_wait();
    } catch (...) {
        cupti_.activity_pop_external_id(layer_correlation, &popped);
        throw;
    }
    check(cupti_, cupti_.activity_pop_external_id(layer_correlation, &popped),
          "cuptiActivityPopExternalCorrelationId");
}

void ActivityTrace::stop() {
    // The buffers whose records are complete, which should be all, since the device is idle.
    check(cupti_, cupti_.activity_flush_all(0), "cuptiActivityFlushAll");
    disable();
}

void ActivityTrace::disable() noexcept {
    if (enabled_.empty()) return;
    // Whatever is left, so that nothing of this trace turns up in the next one.
    cupti_.activity_flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
    for (const CUpti_ActivityKind kind : enabled_) cupti_.activity_disable(kind);
    enabled_.clear();
}

Attribution ActivityTrace::kernels(std::size_t ids) const {
    return pool().filled(
        [&](auto buffers) { return attribute_kernels(buffers, ids, cupti_.activity_get_next_record); });
}

std::vector<TimedLaunch> ActivityTrace::launches() const {
    return pool().filled(
        [&](auto buffers) { return timed_launches(buffers, cupti_.activity_get_next_record); });
}

void detach(const CuptiLibrary& cupti) noexcept {
    CUpti_Profiler_DeInitialize_Params deinitialize{};
    deinitialize.structSize = CUpti_Profiler_DeInitialize_Params_STRUCT_SIZE;
    cupti.profiler_deinitialize(&deinitialize);
    cupti.finalize();
    pool().set_registered(nullptr);
}

std::int64_t dropped_activity_records() {
    return pool().dropped();
}

}  // namespace hacscale::cupti
