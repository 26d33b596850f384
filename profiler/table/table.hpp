// The latency table: one SQLite file in WAL mode. Rows are committed while a run continues, those of networks timed
// together in one transaction, so that an interrupted run resumes. A table belongs to one device fingerprint and one
// schema version; opening it with another is refused with both named, but for a table of an earlier schema: it is
// upgraded in place when it is opened for writing, and read as it is otherwise. One writer at a time: a second one
// is told which process holds it. Readers never wait for it; each call sees what was committed when it began. A
// Table is used by one thread at a time. Opening scans nothing; profiler/table/check.hpp does.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiler/table/records.hpp"
#include "profiler/table/row.hpp"

namespace hacscale {

enum class OpenMode { read, write, create };

struct RowFilter {
    std::optional<std::string> layer_contains = {};  // substring of the key
    std::optional<LayerKind> kind = {};
    std::optional<int> batch = {};
    std::optional<DataType> type = {};
    std::optional<CacheState> cache = {};
    std::optional<RowStatus> status = {};
};

// In which rows were measured.
struct MeasuredState {
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    bool operator==(const MeasuredState&) const = default;
};

// Finds the rows of a state.
inline RowFilter filter_of(const MeasuredState& state) {
    return {.batch = state.batch, .type = state.type, .cache = state.cache};
}

class Table {
public:
    // read: must exist. write: must exist, takes the writer's lock. create: makes the file for `device` if it
    // is not there, else as write; then `device` must match. Errors: InputError for a file that is no table,
    // truncated, of another schema or device; WorkError for a full disk, a read-only folder, or another
    // writer.
    static Table open(const std::filesystem::path& file, OpenMode mode, const DeviceRecord* device = nullptr);
    ~Table();
    Table(Table&&) noexcept;
    Table& operator=(Table&&) noexcept;

    const std::filesystem::path& file() const;
    DeviceRecord device() const;

    // Inserts or replaces; durable when it returns. InputError for a row that has_latency() but no finite
    // positive latency and finite interval, or a speed that is neither, or whose layer is not what its key
    // says.
    void put(const Row& row);
    void put(const std::vector<Row>& rows);  // in one transaction
    std::optional<Row> find(const RowKey& key) const;
    // All footprints at which this layer was measured in this state, ascending (one row for warm and cold).
    std::vector<Row> find_all(const LayerSpec& layer, int batch, DataType type, CacheState cache) const;
    // What interpolation over channels reads: the rows with a latency, and those of unsupported layers, of every
    // layer that equals this one but for channels, groups and squeeze width, in this state; a layer's rows are
    // neighbours, footprints ascending. Their lists of kernels are left out.
    void for_each_of_family(const LayerSpec& layer, int batch, DataType type, CacheState cache,
                            const std::function<void(const Row&)>& visit) const;
    // Sorted by the layer's text key, then batch, data type and cache state by name, then footprint.
    std::vector<Row> query(const RowFilter& filter) const;
    void for_each(const RowFilter& filter, const std::function<void(const Row&)>& visit) const;
    std::int64_t size() const;
    // The least Row::reference_us of the rows of a data type that have a latency; none where no speed was read.
    std::optional<double> fastest_reference_us(DataType type) const;

    void put(const PeakRecord& peak);
    std::optional<PeakRecord> peak(DataType type) const;
    void put(const VerificationRecord& record);  // appended
    std::vector<VerificationRecord> verifications() const;

    struct Impl;

private:
    explicit Table(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace hacscale
