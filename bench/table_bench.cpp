// How fast the table is: opening, putting, querying, merging, comparing, and the lookups that planners do by
// the million. Files are made in the temporary folder and removed at the end.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "profiler/table/check.hpp"
#include "profiler/table/diff.hpp"
#include "profiler/table/interpolation.hpp"
#include "profiler/table/merge.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

const DeviceRecord device{"cpu", "benchmark", "0000000000000000", "{}"};

// Different rows for different indices: 64 x 64 widths (one family), then other map sizes, batches and data
// types.
RowKey key_of(std::int64_t index) {
    RowKey key;
    key.layer.activation = Activation::relu;
    key.layer.in_channels = static_cast<int>(8 * (1 + index % 64));
    key.layer.out_channels = static_cast<int>(8 * (1 + index / 64 % 64));
    key.layer.in_height = key.layer.in_width = static_cast<int>(7 + index / 4096 % 64);
    key.layer.window = Window::square(3, 1, 1);
    key.batch = static_cast<int>(1 + index / (4096 * 64));
    key.cache = CacheState::warm;
    return key;
}

Row row_of(std::int64_t index) {
    Row row;
    row.key = key_of(index);
    row.latency_us = 10.0 + static_cast<double>(index % 1000);
    row.ci95_us = row.latency_us / 200.0;
    row.samples = 100;
    row.implementation = "jit:avx512_core";
    row.measured_at = "2026-01-01T00:00:00Z";
    return row;
}

// Tables of rows first..first+count-1, each made once and shared by the benchmarks that ask for it.
class TableFiles {
public:
    TableFiles() : folder_(fs::temp_directory_path() / ("hacscale-bench-" + std::to_string(::getpid()))) {
        fs::create_directories(folder_);
    }
    ~TableFiles() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    TableFiles(const TableFiles&) = delete;
    TableFiles& operator=(const TableFiles&) = delete;

    fs::path file(const std::string& name) const { return folder_ / name; }

    const fs::path& of(std::int64_t first, std::int64_t count) {
        fs::path& made = made_[{first, count}];
        if (!made.empty()) return made;
        made = file(std::to_string(first) + "-" + std::to_string(count) + ".db");
        Table table = Table::open(made, OpenMode::create, &device);
        constexpr std::int64_t rows_at_once = 50'000;
        std::vector<Row> rows;
        for (std::int64_t index = first; index < first + count; ++index) {
            rows.push_back(row_of(index));
            if (index + 1 < first + count && rows.size() < rows_at_once) continue;
            table.put(rows);
            rows.clear();
        }
        return made;
    }

private:
    fs::path folder_;
    std::map<std::pair<std::int64_t, std::int64_t>, fs::path> made_;
};

TableFiles& files() {
    static TableFiles instance;
    return instance;
}

void open_table(benchmark::State& state) {
    const fs::path& file = files().of(0, state.range(0));
    for (auto _ : state) {
        Table table = Table::open(file, OpenMode::read);
        benchmark::DoNotOptimize(&table);
    }
}
BENCHMARK(open_table)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void put_one_row(benchmark::State& state) {
    const fs::path file = files().file("put.db");
    Table table = Table::open(file, OpenMode::create, &device);
    std::int64_t index = 0;
    for (auto _ : state) table.put(row_of(index++));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(put_one_row)->Unit(benchmark::kMicrosecond)->UseRealTime();

void find_row(benchmark::State& state) {
    const Table table = Table::open(files().of(0, 100'000), OpenMode::read);
    std::int64_t index = 0;
    for (auto _ : state) benchmark::DoNotOptimize(table.find(key_of((index += 7919) % 100'000)));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_row);

void query_all(benchmark::State& state) {
    const Table table = Table::open(files().of(0, 100'000), OpenMode::read);
    for (auto _ : state) benchmark::DoNotOptimize(table.query({}).size());
    state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(query_all)->Unit(benchmark::kMillisecond);

// Every second width is measured; asked are all of them, so that half of the answers are interpolated.
void estimate(benchmark::State& state, bool warm) {
    const Table table = Table::open(files().of(0, 4096), OpenMode::read);
    std::vector<LayerSpec> layers;
    for (std::int64_t index = 0; index < 4096; ++index) {
        layers.push_back(key_of(index).layer);
        layers.push_back(layers.back());
        layers.back().out_channels += 4;
    }
    const auto ask_all = [&](const TableLatencySource& source) {
        double sum = 0.0;
        for (const LayerSpec& layer : layers) sum += source.estimate(layer).latency_us;
        benchmark::DoNotOptimize(sum);
    };
    const TableLatencySource kept(table, 1, DataType::f32, CacheState::warm);
    ask_all(kept);
    for (auto _ : state) {
        if (warm) {
            ask_all(kept);
        } else {
            ask_all(TableLatencySource(table, 1, DataType::f32, CacheState::warm));
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(layers.size()));
}
BENCHMARK_CAPTURE(estimate, warm, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(estimate, first_time, false)->Unit(benchmark::kMillisecond);

void merge_shards(benchmark::State& state) {
    constexpr std::int64_t rows_each = 10'000;
    std::vector<fs::path> shards;
    for (std::int64_t shard = 0; shard < state.range(0); ++shard) {
        shards.push_back(files().of(shard * rows_each, rows_each));
    }
    const fs::path output = files().file("merged.db");
    for (auto _ : state) {
        const MergeResult result = merge_tables(shards, output);
        if (result.rows != state.range(0) * rows_each) state.SkipWithError("rows were lost");
        state.PauseTiming();
        fs::remove(output);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * rows_each);
}
BENCHMARK(merge_shards)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();

void diff(benchmark::State& state) {
    const Table a = Table::open(files().of(0, 100'000), OpenMode::read);
    const Table b = Table::open(files().of(1'000, 100'000), OpenMode::read);
    for (auto _ : state) benchmark::DoNotOptimize(diff_tables(a, b).ratios.size());
}
BENCHMARK(diff)->Unit(benchmark::kMillisecond);

void check(benchmark::State& state) {
    const fs::path& file = files().of(0, 100'000);
    for (auto _ : state) benchmark::DoNotOptimize(check_table(file).rows);
}
BENCHMARK(check)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hacscale

BENCHMARK_MAIN();
