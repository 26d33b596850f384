#include "profiler/table/row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::array<std::pair<CacheState, std::string_view>, 3> cache_names{{
    {CacheState::network, "network"},
    {CacheState::warm, "warm"},
    {CacheState::cold, "cold"},
}};

constexpr std::array<std::pair<RowStatus, std::string_view>, 4> status_names{{
    {RowStatus::ok, "ok"},
    {RowStatus::noisy, "noisy"},
    {RowStatus::failed, "failed"},
    {RowStatus::unsupported, "unsupported"},
}};

template <typename Names, typename Value>
std::string_view name_in(const Names& names, Value value) {
    for (const auto& [candidate, name] : names) {
        if (candidate == value) return name;
    }
    throw InputError(fmt::format("{} is no value of this enumeration", static_cast<int>(value)));
}

template <typename Names>
auto value_in(const Names& names, std::string_view name, std::string_view what) {
    std::string known;
    for (const auto& [value, candidate] : names) {
        if (candidate == name) return value;
        known += known.empty() ? "" : ", ";
        known += candidate;
    }
    throw InputError(fmt::format("'{}' is no {}; expected one of {}", name, what, known));
}

}  // namespace

std::int64_t footprint_bucket(std::int64_t bytes) {
    constexpr std::int64_t smallest = 64 * 1024;
    constexpr double max_half_octaves = 124.0;  // 2^62, the last power that leaves room in 64 bits
    if (bytes <= smallest) return smallest;
    const double half_octaves = std::round(2.0 * std::log2(static_cast<double>(bytes)));
    return std::llround(std::exp2(std::min(half_octaves, max_half_octaves) / 2.0));
}

std::string_view name_of(CacheState cache) {
    return name_in(cache_names, cache);
}
std::string_view name_of(RowStatus status) {
    return name_in(status_names, status);
}

CacheState cache_state_from_name(std::string_view name) {
    return value_in(cache_names, name, "cache state");
}
RowStatus row_status_from_name(std::string_view name) {
    return value_in(status_names, name, "row status");
}

}  // namespace hacscale
