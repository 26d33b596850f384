// One measurement of one layer on one device, as the table keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "models/layer_spec.hpp"
#include "profiler/table/readings.hpp"

namespace hacscale {

// How warm the caches were; docs/method.md, "Cache states".
enum class CacheState : std::uint8_t {
    network,  // weights last touched one pass of a whole network ago, input just produced by the layer before
    warm,     // the layer alone, again and again
    cold,     // rotating through more than the last-level cache
};

enum class RowStatus : std::uint8_t {
    ok,
    noisy,  // the time for this row was up before its interval was narrow enough; the value is the best there
            // is
    failed,       // no value; `reason` says why (out of memory, a library error)
    unsupported,  // the device or library has no way to run this layer; `reason` says why
};

// Whether rows of this status carry a latency: ok and noisy ones do. The table keeps no value of the others.
constexpr bool has_latency(RowStatus status) {
    return status == RowStatus::ok || status == RowStatus::noisy;
}

// What identifies a row within a table; a table holds rows of one device fingerprint only.
struct RowKey {
    LayerSpec layer;
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    // For the network state, how far one pass goes: the bytes of weights and activations of the network that
    // the layer was timed in, rounded to half an octave by footprint_bucket(). 0 for warm and cold.
    std::int64_t footprint_bytes = 0;
    auto operator<=>(const RowKey&) const = default;
};

// Rounds to the nearest power of the square root of two, at least 64 KiB: footprints that close act alike.
std::int64_t footprint_bucket(std::int64_t bytes);

// Rows that were measured while the machine was slower than for others do not fit these; less than this is
// within what two tables of one machine differ by anyway.
constexpr double outpaced_from = 1.15;
constexpr bool outpaced(std::optional<double> pace_us, std::optional<double> by_us) {
    return pace_us && by_us && *pace_us > outpaced_from * *by_us;
}

// A column may be missing; then its reason stands in `reason`.
struct Row {
    RowKey key;
    RowStatus status = RowStatus::ok;
    std::string reason;       // empty when ok and complete
    double latency_us = 0.0;  // median of one inference
    double ci95_us = 0.0;     // half-width of the median's 95 % confidence interval
    std::int64_t samples = 0;
    std::string implementation;  // what ran: the library's name of the kernel or plan
    std::string carrier;         // the network it was timed in (network state), else empty
    std::string measured_at;     // UTC, ISO 8601
    // How fast the machine was: the time of a reference network meanwhile, microseconds (timing/pace.hpp).
    // Absent where it was not read, as for warm and cold.
    std::optional<double> pace_us;
    Readings readings;  // of the device's instruments; GPUs only

    bool outpaced(std::optional<double> by_us) const {
        return has_latency(status) && hacscale::outpaced(pace_us, by_us);
    }
    bool operator==(const Row&) const = default;
};

std::string_view name_of(CacheState cache);
std::string_view name_of(RowStatus status);
CacheState cache_state_from_name(std::string_view name);  // throws InputError
RowStatus row_status_from_name(std::string_view name);    // throws InputError

}  // namespace hacscale
