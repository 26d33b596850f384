// The rows of a network's layers, from one measurement of it or from the reason why there is none.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "profiler/detail/pending_rows.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::detail {

class NetworkRows {
public:
    // All outlive this.
    NetworkRows(const DeviceHandle& device, const MeasureSettings& settings, OutputCheck& check,
                PendingRows& rows)
        : device_(device), settings_(settings), check_(check), rows_(rows) {}

    // Of a network that the device does not support: the layers that cannot be compiled alone. Whether any of
    // them is unsupported; else they are not to blame, and nothing is added. What may pass (no memory, a failure)
    // is no layer's fault.
    bool add_unsupported(const Graph& network, const NetworkMeasurement& measured,
                         const std::string& carrier);

    // The network has no measurement: its layers that have no row yet, or one that failed, are failed.
    void add_failed(const Graph& network, const std::string& carrier, const std::string& reason);

    // Merges the network's rows with those of its group, and with the table's. `given_up` says which layers are not
    // tried again.
    void add(const Graph& network, const NetworkMeasurement& measured, const std::string& carrier,
             const std::function<bool(const RowKey&)>& given_up);

private:
    using Places = std::map<RowKey, std::vector<std::size_t>>;
    Places places_of(const Graph& network) const;
    void fill(Row& row, const std::vector<std::size_t>& nodes, const NetworkMeasurement& measured) const;
    void judge(Row& row, const NetworkMeasurement& measured, double pass_us) const;
    std::string unfinished(const NetworkTiming& timing) const;

    const DeviceHandle& device_;
    const MeasureSettings& settings_;
    OutputCheck& check_;
    PendingRows& rows_;
};

}  // namespace hacscale::detail
