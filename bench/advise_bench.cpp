// How long "hacscale advise" works on a table that has everything it asks for: each layer of the network at
// every width on the grid, alone and with its stage, at three footprints. The table is read again each time,
// as by a process that has just started. Counters: rows in the table, widths judged, counts looked at.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "bench/made_up_source.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/structure/structure.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/table/table.hpp"
#include "scaling/analysis/advise.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t mib = 1 << 20;
const DeviceRecord device{"cpu", "benchmark", "0000000000000000", "{}"};

// Layers that a question about one width can ask for.
std::set<LayerSpec> layers_of(const ModelSpec& base) {
    std::set<LayerSpec> layers;
    const auto add = [&](const ModelSpec& model) {
        for (const Node& node : lower(model).nodes) layers.insert(node.layer);
    };
    add(base);
    for (const WidthGroup& group : width_groups(base)) {
        for (int width = 8; width <= 2 * group.base_width; width += 8) add(widened(base, group, width));
    }
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        for (int width = 8; width <= 2 * base.stages[s].width; width += 8) {
            ScalingChoice choice = choice_of(base);
            choice.widths[s] = width;
            add(scaled(base, choice));
        }
    }
    return layers;
}

class TableFile {
public:
    explicit TableFile(const ModelSpec& base)
        : file_(fs::temp_directory_path() / ("hacscale-advise-" + std::to_string(::getpid()) + ".db")) {
        Table table = Table::open(file_, OpenMode::create, &device);
        std::vector<Row> rows;
        for (const LayerSpec& layer : layers_of(base)) {
            for (const std::int64_t footprint_bytes : {64 * mib, 128 * mib, 256 * mib}) {
                Row row;
                row.key = {layer, 1, DataType::f32, CacheState::network, footprint_bytes};
                row.latency_us = bench::made_up_latency_us(layer);
                row.ci95_us = row.latency_us / 200.0;
                row.samples = 100;
                row.implementation = "made up";
                row.measured_at = "2026-01-01T00:00:00Z";
                rows.push_back(row);
            }
        }
        table.put(rows);
    }
    ~TableFile() {
        std::error_code ignored;
        fs::remove(file_, ignored);
    }
    TableFile(const TableFile&) = delete;
    TableFile& operator=(const TableFile&) = delete;

    const fs::path& path() const { return file_; }

private:
    fs::path file_;
};

void advise(benchmark::State& state, const std::string& model) {
    const ModelSpec base = find_model(model);
    const TableFile file(base);
    CapacityAdvice capacity;
    for (auto _ : state) {
        const Table table = Table::open(file.path(), OpenMode::read);
        const TableLatencySource source(table, 1, DataType::f32, CacheState::network, 128 * mib);
        capacity = advise(base, source, {});
    }
    std::size_t points = 0;
    for (const auto* list : {&capacity.widths, &capacity.stages}) {
        for (const WidthAdvice& advice : *list) points += advice.points.size();
    }
    state.counters["rows"] = static_cast<double>(Table::open(file.path(), OpenMode::read).size());
    state.counters["widths"] = static_cast<double>(capacity.widths.size() + capacity.stages.size());
    state.counters["counts"] = static_cast<double>(points);
}
BENCHMARK_CAPTURE(advise, resnet20, "resnet20-cifar")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(advise, resnet50, "resnet50")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(advise, mobilenetv2, "mobilenetv2-1.0")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(advise, efficientnet_b4, "efficientnet-b4")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hacscale

BENCHMARK_MAIN();
