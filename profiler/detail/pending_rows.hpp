// Rows on their way into a table: those of networks or layers that are measured together are committed
// together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/row.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::detail {

// Now, as Row::measured_at.
std::string measured_now();

// Without values; measured now.
Row new_row(const RowKey& key, const std::string& host_network);

struct CommittedRows {
    int written = 0;  // those without a value included
    int noisy = 0;
    int failed = 0;  // unsupported ones included
};

class PendingRows {
public:
    explicit PendingRows(Table& table) : table_(table) {}

    // The row as it is here, or else in the table.
    std::optional<Row> find(const RowKey& key) const;
    // Those that are here and not yet in the table; for changing them.
    std::map<RowKey, Row>& here() { return rows_; }
    void put(Row row);

    // Work on one layer alone, in state `doing`. When it takes the device with it, the layer's row says so,
    // and has no host network; then DeviceLost is thrown again.
    template <typename Work>
    void losing(Row& row, const char* doing, const Work& work) {
        try {
            work();
        } catch (const DeviceLost& lost) {
            blame(row, doing, lost);
            throw;
        }
    }

    // Into the table, in one transaction.
    CommittedRows commit() const;

private:
    void blame(Row& row, const char* doing, const DeviceLost& lost);

    Table& table_;
    std::map<RowKey, Row> rows_;
};

// Compares what kernels put out with the reference, before their times count.
class OutputCheck {
public:
    // Does nothing unless `enabled`. `device` and `settings` outlive it.
    OutputCheck(const DeviceHandle& device, const MeasureSettings& settings, bool enabled)
        : device_(device), settings_(settings), enabled_(enabled) {}

    // A row whose kernel is wrong fails, since it has no latency worth keeping. Each kernel of a layer is run
    // once. Throws DeviceLost.
    void operator()(Row& row, std::int64_t footprint_bytes);

private:
    const DeviceHandle& device_;
    const MeasureSettings& settings_;
    bool enabled_;
    std::map<std::pair<LayerSpec, std::string>, std::string> faults_;  // by layer and kernel; empty: none
};

// A network whose layers' rows are wanted. Rows are at the footprint of the whole network; what is timed is all of it, or
// what is left without layers that the device does not support.
struct HostGraphs {
    const std::string& name;
    const Graph& timed;
    const Graph& whole;
};

// The rows of a network's layers, from one measurement of it or from the reason why there is none.

class NetworkRows {
public:
    // All outlive this.
    NetworkRows(const DeviceHandle& device, const MeasureSettings& settings, OutputCheck& check,
                PendingRows& rows)
        : device_(device), settings_(settings), check_(check), rows_(rows) {}

    // Of a network that the device does not support: the layers that cannot be compiled alone. Whether any of
    // them is unsupported; else they are not to blame, and nothing is added. What may pass (no memory, a failure)
    // is no layer's fault.
    bool add_unsupported(const HostGraphs& host, const NetworkMeasurement& measured);

    // The network has no measurement: its layers that have no row yet, or one that failed, are failed.
    void add_failed(const HostGraphs& host, const std::string& reason);

    // Merges the network's rows with those of its group, and with the table's. `given_up` says which layers are not
    // tried again.
    void add(const HostGraphs& host, const NetworkMeasurement& measured,
             const std::function<bool(const RowKey&)>& given_up);

private:
    using Places = std::map<RowKey, std::vector<std::size_t>>;
    Places places_of(const HostGraphs& host) const;
    void fill(Row& row, const std::vector<std::size_t>& nodes, const NetworkMeasurement& measured) const;
    void judge(Row& row, const NetworkMeasurement& measured, double pass_us) const;
    std::string unfinished(const NetworkTiming& timing) const;

    const DeviceHandle& device_;
    const MeasureSettings& settings_;
    OutputCheck& check_;
    PendingRows& rows_;
};

// Measures layers that run alone, warm or cold.

// In interleaved rounds, a row each into `rows`; what an interruption left unfinished has none. Throws
// DeviceLost, and the row of the layer that was on the device says so.
void measure_isolated(const DeviceHandle& device, const std::vector<LayerSpec>& layers, CacheState cache,
                      const MeasureSettings& settings, const WorkEvents& events, OutputCheck& check,
                      PendingRows& rows);

}  // namespace hacscale::detail
