// What a table holds besides rows: its device, the device's peaks, and networks that were measured whole.
#pragma once

#include <optional>
#include <string>

#include "profiler/table/row.hpp"

namespace hacscale {

// The device as the table keeps it. `fingerprint` is a hash of what must match for rows to be comparable.
struct DeviceRecord {
    std::string id;  // "cpu", "cuda:0"
    std::string name;
    std::string fingerprint;
    std::string properties;  // JSON object: cores or SMs, memory, clocks, driver, library versions, threads
    bool operator==(const DeviceRecord&) const = default;
};

// Measured ceilings of the device for one data type; docs/method.md, "Peak".
struct PeakRecord {
    DataType type = DataType::f32;
    double flops_per_s = 0.0;
    double bytes_per_s = 0.0;
    std::optional<double> nominal_flops_per_s;
    std::optional<double> nominal_bytes_per_s;
    bool operator==(const PeakRecord&) const = default;
};

// A whole network measured on the device beside the table's prediction of it.
struct VerificationRecord {
    std::string model;  // name
    std::string model_hash;
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;  // of the rows summed
    double predicted_us = 0.0;
    double measured_us = 0.0;
    double ci95_us = 0.0;
    std::string measured_at;
    bool operator==(const VerificationRecord&) const = default;
};

}  // namespace hacscale
