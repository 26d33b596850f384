// What the tests of tables share: folders that vanish, rows to put, and children to kill.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/detail/layer_columns.hpp"
#include "profiler/table/table.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::testing {

inline const DeviceRecord test_device{"cpu", "Test CPU", "0123456789abcdef", R"({"cores":2})"};
inline const DeviceRecord other_device{"cuda:0", "Test GPU", "fedcba9876543210", "{}"};

inline LayerSpec conv(int in, int out, int size = 56) {
    LayerSpec layer;
    layer.activation = Activation::relu;
    layer.in_channels = in;
    layer.in_height = layer.in_width = size;
    layer.out_channels = out;
    layer.window = Window::square(3, 1, 1);
    return layer;
}

inline LayerSpec depthwise(int channels, int size = 56) {
    LayerSpec layer = conv(channels, channels, size);
    layer.groups = channels;
    return layer;
}

inline Row warm_row(const LayerSpec& layer, double latency_us, double ci95_us = 0.1) {
    Row row;
    row.key.layer = layer;
    row.key.cache = CacheState::warm;
    row.latency_us = latency_us;
    row.ci95_us = ci95_us;
    row.samples = 100;
    row.implementation = "test";
    row.measured_at = "2026-01-01T00:00:00Z";
    return row;
}

inline Row network_row(const LayerSpec& layer, double latency_us, std::int64_t footprint_bytes) {
    Row row = warm_row(layer, latency_us);
    row.key.cache = CacheState::network;
    row.key.footprint_bytes = footprint_bucket(footprint_bytes);
    row.host_network = "resnet18";
    return row;
}

inline Row failed_row(const LayerSpec& layer, const std::string& reason = "out of memory") {
    Row row = warm_row(layer, 0.0, 0.0);
    row.status = RowStatus::failed;
    row.reason = reason;
    row.samples = 0;
    row.implementation.clear();
    return row;
}

// What a GPU's instruments could have told; some of it is missing.
inline Readings random_readings(std::mt19937& random) {
    const auto pick = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    Row row;
    Readings& readings = row.readings;
    for (const RowColumn& column : row_columns()) {
        if (!column.reading) continue;
        if (pick(0, 2) > 0) {
            column.set(row, pick(0, 1000) / (column.range == ColumnRange::share ? 1000.0 : 7.0));
        } else {
            readings.reasons[std::string(column.name)] = "no \"privilege\",\n\xc3\xa9";
        }
    }
    if (pick(0, 3) == 0) readings.throttle_reasons = "power cap";
    for (int i = pick(0, 3); i > 0; --i) {
        readings.kernels.push_back({"void kernel<" + std::to_string(pick(0, 9)) + ">(float, int)",
                                    {pick(1, 1000), pick(1, 9), 1},
                                    {32 * pick(1, 32), 1, 1},
                                    pick(8, 255),
                                    pick(0, 48) * 1024,
                                    pick(0, 200) * 1024,
                                    pick(1, 1000) / 8.0,
                                    {pick(0, 2), pick(0, 4), pick(0, 1)},
                                    pick(0, 66)});
    }
    return readings;
}

// Any row that a table can hold.
inline Row random_row(std::mt19937& random) {
    const auto pick = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    const double latency_us = std::uniform_real_distribution<double>(0.01, 1e6)(random);
    Row row = pick(0, 1) == 0
                  ? warm_row(conv(8 * pick(1, 64), 8 * pick(1, 64)), latency_us, latency_us / 97.0)
                  : network_row(depthwise(8 * pick(1, 64)), latency_us, 1LL << pick(10, 40));
    row.key.batch = pick(1, 3);
    row.key.type = static_cast<DataType>(pick(0, 2));
    row.samples = pick(1, 100000);
    if (row.key.cache == CacheState::network && pick(0, 1) == 0) row.reference_us = pick(1000, 1100) / 10.0;
    if (row.key.cache == CacheState::network && pick(0, 1) == 0) {
        row.timed_by = pick(0, 1) == 0 ? "prefix" : "stopwatch";
        if (row.timed_by == "stopwatch") row.overhead_us = pick(0, 30) / 10.0;
    }
    if (pick(0, 1) == 0) row.readings = random_readings(random);
    if (pick(0, 4) == 0) {
        row.status = RowStatus::noisy;
        row.reason = "the time was up; \"quoted\", with a comma\nand a line";
    } else if (pick(0, 6) == 0) {
        row.status = RowStatus::unsupported;
        row.reason = "no kernel";
        row.readings = {};
        row.latency_us = row.ci95_us = 0.0;
        row.samples = 0;
        row.timed_by.clear();
        row.overhead_us.reset();
    }
    return row;
}

inline Table make_table(const std::filesystem::path& file, const std::vector<Row>& rows,
                        const DeviceRecord& device = test_device) {
    Table table = Table::open(file, OpenMode::create, &device);
    table.put(rows);
    return table;
}

// SQL on the file behind the table's back, as damage or another program would do it.
inline void tamper(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << (message == nullptr ? "" : message);
    sqlite3_free(message);
    sqlite3_close(database);
}

// What earlier versions of the program left: schema 5 without operators of several inputs and forms, schema 4 with square windows
// only, schema 3 with other counters, schema 2 also without speeds, schema 1 also without kernels and most readings.
inline void make_old_table(int version, const std::filesystem::path& file, const std::vector<Row>& rows) {
    { make_table(file, rows).put(PeakRecord{DataType::f32, 1e12, 1e11, {}, {}}); }
    std::string sql;
    for (const detail::LayerColumn& column : detail::layer_columns()) {
        if (column.since > version) sql += "ALTER TABLE layer DROP COLUMN " + std::string(column.name) + ";";
    }
    for (const char* column : {"cluster_x", "cluster_y", "cluster_z", "max_active_clusters"}) {
        if (version < 4) sql += "ALTER TABLE kernel DROP COLUMN " + std::string(column) + ";";
    }
    for (const RowColumn& column : row_columns()) {
        if (column.since > version) {
            sql += "ALTER TABLE measurement DROP COLUMN " + std::string(column.name) + ";";
        }
    }
    if (version == 1) sql += "DROP TABLE kernel;";
    tamper(file, sql + "PRAGMA user_version = " + std::to_string(version));
}

// Runs `work` in a child and returns its exit status: 0, or 99 with the exception's text on standard error.
inline int in_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            work();
            ::_exit(::testing::Test::HasFailure() ? 98 : 0);
        } catch (const std::exception& error) {
            std::cerr << "child: " << error.what() << std::endl;
            ::_exit(99);
        }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Expects an error of this type whose text has all of these parts.
template <typename ErrorType>
void expect_error(const std::function<void()>& work, const std::vector<std::string>& parts) {
    try {
        work();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const ErrorType& error) {
        for (const std::string& part : parts) {
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << "'" << part << "' is not in: " << error.what();
        }
    }
}

}  // namespace hacscale::testing
