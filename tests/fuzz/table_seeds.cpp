// Writes the tables that the fuzzer starts from, in pages of 512 bytes, so that they are small.
//   table_seeds FOLDER
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "profiler/table/table.hpp"

namespace {

using namespace hacscale;  // NOLINT(google-build-using-namespace)

Row row_of(int out_channels, CacheState cache) {
    LayerSpec layer;
    layer.in_channels = 8;
    layer.in_height = layer.in_width = 14;
    layer.out_channels = out_channels;
    layer.window = Window::square(3, 1, 1);
    layer.activation = Activation::relu;
    Row row;
    row.key.layer = layer;
    row.key.cache = cache;
    row.key.footprint_bytes = cache == CacheState::network ? footprint_bucket(1 << 20) : 0;
    row.latency_us = out_channels;
    row.ci95_us = 0.1;
    row.samples = 100;
    row.implementation = "jit:avx2";
    row.host_network = cache == CacheState::network ? "resnet8" : "";
    row.measured_at = "2026-01-01T00:00:00Z";
    return row;
}

Row failed_row() {
    Row row = row_of(24, CacheState::cold);
    row.status = RowStatus::failed;
    row.reason = "out of memory";
    row.latency_us = row.ci95_us = 0.0;
    return row;
}

Row row_with_readings() {
    Row row = row_of(32, CacheState::network);
    row.status = RowStatus::noisy;
    row.reason = "the interval stayed wide";
    row.key.type = DataType::f16;
    row.reference_us = 100.0;
    row.timed_by = "prefix";
    row.readings.occupancy_theoretical = 0.5;
    row.readings.dram_bytes = 4096.0;
    row.readings.throttle_reasons = "power cap";
    row.readings.reasons["l2_hit_rate"] = "no privilege";
    row.readings.kernels.push_back(
        {"void conv<float>(int)", {8, 1, 1}, {128, 1, 1}, 32, 0, 1024, 1.5, {1, 1, 1}, 8});
    return row;
}

// Through a second file: a table in WAL mode keeps the size of its pages.
void shrink(const std::filesystem::path& file) {
    sqlite3* database = nullptr;
    sqlite3_open(file.c_str(), &database);
    sqlite3_exec(database, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM", nullptr, nullptr,
                 nullptr);
    sqlite3_close(database);
    std::filesystem::remove(file.string() + ".lock");
}

void write_table(const std::filesystem::path& file, const DeviceRecord& device,
                 const std::vector<Row>& rows) {
    {
        Table table = Table::open(file, OpenMode::create, &device);
        table.put(rows);
        table.put(PeakRecord{DataType::f32, 1e12, 1e11, 2e12, {}});
        table.put(VerificationRecord{"resnet8", "0123", 1, DataType::f32, CacheState::network, 90.0, 100.0,
                                     1.0, "2026-01-01"});
    }
    shrink(file);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const std::filesystem::path folder = arguments[1];
    write_table(folder / "cpu.db", {"cpu", "CPU", "0123456789abcdef", R"({"cores":2})"},
                {row_of(16, CacheState::network), row_of(16, CacheState::warm), failed_row()});
    write_table(folder / "gpu.db", {"cuda:0", "GPU", "fedcba9876543210", "{}"}, {row_with_readings()});
    return 0;
}
