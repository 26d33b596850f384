// How libFuzzer changes a table: in half of the inputs SQLite changes values or the schema, so that more of them are sound files with
// hostile contents. The others change as bytes.
#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed);

namespace {

using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

template <std::size_t count>
std::string one_of(const std::array<const char*, count>& words, std::mt19937& random) {
    return words[random() % count];
}

// SQL's literals.
std::string value(std::mt19937& random) {
    static constexpr std::array values{"NULL",
                                       "0",
                                       "1",
                                       "-1",
                                       "0.5",
                                       "1e308",
                                       "9e999",
                                       "-9e999",
                                       "2147483648",
                                       "-2147483649",
                                       "9223372036854775807",
                                       "''",
                                       "'ok'",
                                       "'noisy'",
                                       "'failed'",
                                       "'unsupported'",
                                       "'f32'",
                                       "'bf16'",
                                       "'network'",
                                       "'warm'",
                                       "'cold'",
                                       "'prefix'",
                                       "'profiler'",
                                       "'{}'",
                                       "'{\"l2_hit_rate\":1}'",
                                       "'{\"a\":\"b\"}'",
                                       "'['",
                                       "x'ff'",
                                       "CAST(x'ff' AS TEXT)",
                                       "CAST(x'6100' AS TEXT)",
                                       "zeroblob(100)",
                                       "char(233)"};
    return one_of(values, random);
}

std::string column_of(sqlite3* database, const std::string& table, std::mt19937& random) {
    std::vector<std::string> columns;
    const auto add = [](void* into, int, char** texts, char**) {
        static_cast<std::vector<std::string>*>(into)->emplace_back(texts[0]);
        return 0;
    };
    sqlite3_exec(database, ("SELECT name FROM pragma_table_info('" + table + "')").c_str(), add, &columns,
                 nullptr);
    return columns.empty() ? "" : '"' + columns[random() % columns.size()] + '"';
}

// One statement. Most change values; some the schema.
std::string change(sqlite3* database, std::mt19937& random) {
    static constexpr std::array tables{"device", "peak", "verification", "layer", "measurement", "kernel"};
    static constexpr std::array schemas{
        "CREATE VIEW v AS SELECT 1", "CREATE TABLE other (a)", "CREATE INDEX i ON measurement (latency_us)",
        "CREATE TRIGGER t AFTER INSERT ON layer BEGIN SELECT 1; END", "PRAGMA application_id = 1"};
    const std::string table = one_of(tables, random);
    const std::string column = column_of(database, table, random);
    switch (random() % 12) {
        case 0:
            return "DELETE FROM " + table;
        case 1:
            return one_of(schemas, random);
        case 2:
            return "ALTER TABLE " + table + " DROP COLUMN " + column;
        case 3:
            return "ALTER TABLE " + table + " RENAME COLUMN " + column + " TO renamed";
        case 4:
            return "PRAGMA user_version = " + std::to_string(random() % 12);
        case 5:
            return "DROP TABLE " + table;
        default:
            return "UPDATE OR REPLACE " + table + " SET " + column + " = " + value(random);
    }
}

// The changed file; empty where SQLite cannot change it.
std::vector<std::uint8_t> changed(const std::uint8_t* data, std::size_t size, std::mt19937& random) {
    sqlite3* handle = nullptr;
    sqlite3_open(":memory:", &handle);
    const Database database(handle, sqlite3_close);
    auto* const copy = static_cast<std::uint8_t*>(sqlite3_malloc64(size + 1));
    std::memcpy(copy, data, size);
    const auto bytes = static_cast<sqlite3_int64>(size);
    if (sqlite3_deserialize(handle, "main", copy, bytes, bytes,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) != SQLITE_OK) {
        return {};
    }
    const std::string sql = change(handle, random);
    if (sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return {};
    sqlite3_int64 length = 0;
    const std::unique_ptr<unsigned char, void (*)(void*)> file(sqlite3_serialize(handle, "main", &length, 0),
                                                               sqlite3_free);
    if (!file) return {};
    return {file.get(), file.get() + length};
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> file;
    if (random() % 2 == 0 && size > 0) file = changed(data, size, random);
    if (file.empty() || file.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::memcpy(data, file.data(), file.size());
    return file.size();
}
