#include "profiler/table/export.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "profiler/table/detail/ofa_entries.hpp"

namespace hacscale {
namespace {

// Digits that read back to the same double and that YAML 1.1, which PyYAML reads, takes for a number: one
// with an exponent needs a point.
std::string yaml_number(double value) {
    std::string text = fmt::to_string(value);
    if (text.find('.') != std::string::npos) return text;
    return text.insert(std::min(text.find('e'), text.size()), ".0");
}

// A name of a device or a library may hold anything; a comment ends with its line.
std::string in_one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return text;
}

using State = std::tuple<int, DataType, CacheState>;

State state_of(const Row& row) {
    return {row.key.batch, row.key.type, row.key.cache};
}

std::string words_for(const State& state) {
    const auto& [batch, type, cache] = state;
    return fmt::format("batch {}, {}, {}", batch, name_of(type), name_of(cache));
}

void require_one_state(const std::set<State>& states) {
    if (states.size() < 2) return;
    std::vector<std::string> found;
    for (const State& state : states) found.push_back(words_for(state));
    throw InputError(
        fmt::format("once-for-all's table has one state, but there are rows of {} ({}); choose one with "
                    "--batch, --dtype and "
                    "--cache",
                    states.size(), fmt::join(found, "; ")));
}

}  // namespace

ExportSummary write_ofa_yaml(const Table& table, const RowFilter& filter, std::ostream& out) {
    ExportSummary summary;
    std::vector<detail::TimedLayer> layers;
    std::set<State> states;
    table.for_each(filter, [&](const Row& row) {
        ++summary.rows;
        if (!has_latency(row.status)) {
            ++summary.left_out[fmt::format("they have no latency: they are {}", name_of(row.status))];
            return;
        }
        states.insert(state_of(row));
        layers.push_back({row.key.layer, row.latency_us, row.status == RowStatus::noisy});
    });
    require_one_state(states);
    const detail::OfaEntries entries = detail::ofa_entries(layers);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (entries.left_out[i].empty()) {
            ++summary.written;
        } else {
            ++summary.left_out[entries.left_out[i]];
        }
    }
    summary.entries = static_cast<std::int64_t>(entries.latency_us.size());

    out << "# Latencies in milliseconds on " << in_one_line(table.device().name);
    if (!states.empty()) out << ": " << words_for(*states.begin());
    out << "\n# Exported by hacscale; device " << in_one_line(table.device().fingerprint) << '\n';
    if (entries.latency_us.empty()) out << "{}\n";
    for (const auto& [words, latency_us] : entries.latency_us) {
        out << words << ":\n  mean: " << yaml_number(latency_us / 1000.0) << '\n';
        detail::require_written(out);
    }
    detail::require_written(out.flush());
    return summary;
}

}  // namespace hacscale
