// A latency table: read as it is, checked, exported, and opened for writing, which upgrades one of an earlier schema. What a check calls
// sound can be read.
#include <sstream>

#include "profiler/table/check.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/table.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {
namespace {

std::int64_t read_all(const std::filesystem::path& file) {
    const Table table = Table::open(file, OpenMode::read);
    std::int64_t rows = 0;
    table.for_each({}, [&rows](const Row& row) {
        require(!row.key.layer.key().empty(), "a layer has no key");
        ++rows;
    });
    (void)table.verifications();
    (void)table.peak(DataType::f32);
    (void)table.fastest_reference_us(DataType::f32);
    std::ostringstream text;
    write_csv(table, {}, text);
    write_json(table, {}, text);
    return rows;
}

// SQLite leaves files beside a table.
void remove_table(const std::filesystem::path& file) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm", ".lock"}) {
        std::filesystem::remove(file.string() + suffix);
    }
}

}  // namespace

void fuzz_table(std::string_view bytes) {
    const std::filesystem::path file = file_with(bytes, "fuzzed.db");
    const auto check = accepted(bytes, [&] { return check_table(file); });
    const auto rows = accepted(bytes, [&] { return read_all(file); });
    if (check) {
        for (const Finding& finding : check->findings) check_text(finding.text, bytes);
        require(!check->sound() || rows.has_value(), "a table that is sound cannot be read");
    }
    (void)accepted(bytes, [&] { return Table::open(file, OpenMode::write).size(); });
    remove_table(file);
}

}  // namespace hacscale::fuzzing
