#include "profiler/table/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hacscale {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What Google Benchmark says of the machine, as far as the table knows it, and the device's own words.
Json context_of(const Table& table, const std::string& last_measured_at) {
    const DeviceRecord device = table.device();
    const Json properties = Json::parse(device.properties, nullptr, false);
    Json context{{"date", last_measured_at}, {"host_name", device.name}, {"executable", "hacscale"}};
    if (properties.is_object() && properties.contains("threads")) {
        context["num_cpus"] = properties["threads"];
    }
    context["json_schema_version"] = 1;
    context["device"] = device.id;
    context["fingerprint"] = device.fingerprint;
    if (properties.is_object()) context["properties"] = properties;
    return context;
}

// Rows of the state `network` differ in their footprint as well, and compare.py takes entries of one name for
// repetitions of one benchmark.
std::string name_of_row(const RowKey& key) {
    std::string name =
        fmt::format("{}/{}/{}/{}", key.layer.key(), key.batch, name_of(key.type), name_of(key.cache));
    if (key.cache == CacheState::network) name += fmt::format("/{}", key.footprint_bytes);
    return name;
}

Json benchmark_of(const Row& row, std::int64_t index) {
    const std::string name = name_of_row(row.key);
    return {{"name", name},
            {"family_index", index},
            {"per_family_instance_index", 0},
            {"run_name", name},
            {"run_type", "iteration"},
            {"repetitions", 1},
            {"repetition_index", 0},
            {"threads", 1},
            {"iterations", row.samples},
            {"real_time", row.latency_us},
            {"cpu_time", row.latency_us},
            {"time_unit", "us"},
            {"label", std::string(name_of(row.status))},
            {"ci95_us", row.ci95_us}};
}

}  // namespace

ExportSummary write_google_benchmark(const Table& table, const RowFilter& filter, std::ostream& out) {
    std::string last_measured_at;
    table.for_each(filter,
                   [&](const Row& row) { last_measured_at = std::max(last_measured_at, row.measured_at); });
    ExportSummary summary;
    out << "{\n\"context\": " << text_of(context_of(table, last_measured_at)) << ",\n\"benchmarks\": [";
    table.for_each(filter, [&](const Row& row) {
        ++summary.rows;
        if (!has_latency(row.status)) {
            ++summary.left_out[fmt::format("they have no latency: they are {}", name_of(row.status))];
            return;
        }
        out << (summary.written == 0 ? "\n" : ",\n") << text_of(benchmark_of(row, summary.written));
        ++summary.written;
        detail::require_written(out);
    });
    out << "\n]\n}\n";
    detail::require_written(out.flush());
    summary.entries = summary.written;
    return summary;
}

}  // namespace hacscale
