// Buffers of activity records as CUPTI fills them, made from its own structs.
#pragma once

#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include "kernels/cuda/cupti/activity_records.hpp"

namespace hacscale::tests {

class RecordBuffer {
public:
    void add_correlation(std::uint64_t external_id, std::uint32_t correlation,
                         CUpti_ExternalCorrelationKind kind = cupti::layer_correlation) {
        CUpti_ActivityExternalCorrelation record{};
        record.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
        record.externalKind = kind;
        record.externalId = external_id;
        record.correlationId = correlation;
        append(record);
    }
    void add_call(std::uint32_t correlation, std::uint64_t start_ns = 0, std::uint64_t end_ns = 0,
                  CUpti_ActivityKind kind = CUPTI_ACTIVITY_KIND_RUNTIME) {
        CUpti_ActivityAPI record{};
        record.kind = kind;
        record.correlationId = correlation;
        record.start = start_ns;
        record.end = end_ns;
        append(record);
    }
    void add_memset(std::uint32_t correlation) {
        CUpti_ActivityMemset4 record{};
        record.kind = CUPTI_ACTIVITY_KIND_MEMSET;
        record.correlationId = correlation;
        append(record);
    }
    // name has to live as long as the buffer is read.
    void add_kernel(std::uint32_t correlation, const char* name, std::uint64_t start_ns,
                    std::uint64_t end_ns) {
        CUpti_ActivityKernel10 record{};
        record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
        record.correlationId = correlation;
        record.name = name;
        record.start = start_ns;
        record.end = end_ns;
        record.gridX = 56;
        record.gridY = 2;
        record.gridZ = 3;
        record.blockX = 128;
        record.blockY = 2;
        record.blockZ = 1;
        record.registersPerThread = 96;
        record.staticSharedMemory = 1024;
        record.dynamicSharedMemory = 65536;
        record.clusterX = 2;
        record.clusterY = 1;
        record.clusterZ = 1;
        record.maxActiveClusters = 60;
        append(record);
    }
    // Of a kind that no library knows.
    void add_unknown() {
        CUpti_ActivityAPI record{};
        record.kind = static_cast<CUpti_ActivityKind>(9999);
        append(record);
    }

    std::size_t size() const { return size_; }
    std::span<std::uint8_t> span() { return {reinterpret_cast<std::uint8_t*>(words_.data()), size_}; }

private:
    template <typename Record>
    void append(const Record& record) {
        static_assert(sizeof(Record) % 8 == 0);
        words_.resize((size_ + sizeof(Record)) / 8);
        std::memcpy(reinterpret_cast<std::uint8_t*>(words_.data()) + size_, &record, sizeof(Record));
        size_ += sizeof(Record);
    }

    std::vector<std::uint64_t> words_;  // records are aligned to 8 bytes
    std::size_t size_ = 0;
};

}  // namespace hacscale::tests
