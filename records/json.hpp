// JSON of records and answers: written for people as well, with two spaces a level and keys in the order in which they
// were put in, and read strictly: every access names the key it wants, and every error names file, key and what was
// expected. Slow to compile: include it in .cpp files only.
#pragma once

#include <array>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "models/graph/latency_source.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/table/table.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/record_file.hpp"

namespace hacscale::records {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 (a file name) is written with replacement characters rather than refused; a number
// that is not finite is written as null.
inline std::string text_of(const Json& value) {
    return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

inline void print_json(std::ostream& out, const Json& value) {
    out << text_of(value);
}

template <typename Value>
Json value_or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

template <typename Value>
Json list_json(const std::vector<Value>& values, Json (*write)(const Value&)) {
    Json list = Json::array();
    for (const Value& value : values) {
        list.push_back(write(value));
    }
    return list;
}

// A parsed file and a place in it. A place knows its path within the file ("strategies[2].widths"), so that messages need
// no context. Copies are cheap and keep the file's content alive.
class JsonPlace {
public:
    // Throws InputError when the file does not exist, is too large (256 MiB) or is not JSON.
    static JsonPlace open(const std::filesystem::path& file);
    // The same of a file's text; messages call it `name`.
    static JsonPlace parse(const std::string& text, const std::string& name);

    // Required keys. Numbers are finite by JSON's grammar.
    std::string text(const char* key) const;
    double number(const char* key) const;
    double positive(const char* key) const;
    int integer(const char* key) const;
    std::int64_t count(const char* key) const;
    std::int64_t positive_count(const char* key) const;
    std::vector<int> integers(const char* key) const;
    JsonPlace object(const char* key) const;
    std::vector<JsonPlace> objects(const char* key) const;
    std::vector<std::string> texts(const char* key) const;

    bool has(const char* key) const;  // and it is not null

    // Keys that may be absent or null: then empty.
    std::string text_or_empty(const char* key) const;
    // A text, or a number as text.
    std::string label_or_empty(const char* key) const;
    bool flag_or_false(const char* key) const;
    std::optional<double> number_or_null(const char* key) const;
    std::optional<double> positive_or_null(const char* key) const;
    std::optional<int> integer_or_null(const char* key) const;
    std::optional<int> index_or_null(const char* key) const;  // a place in a list, from 0
    std::optional<std::int64_t> count_or_null(const char* key) const;
    std::optional<std::int64_t> positive_count_or_null(const char* key) const;
    std::vector<std::vector<int>> integer_lists_or_empty(const char* key) const;
    std::vector<std::string> texts_or_empty(const char* key) const;
    std::vector<double> numbers_or_empty(const char* key) const;
    std::vector<JsonPlace> objects_or_empty(const char* key) const;
    std::optional<JsonPlace> object_or_null(const char* key) const;

    // A required text that name_of() gives to one of the values.
    template <typename Value, typename Values>
    Value named(const char* key, const Values& values) const {
        const std::string name = text(key);
        std::string names;
        for (const Value value : values) {
            if (name_of(value) == name) {
                return value;
            }
            names += (names.empty() ? "" : ", ") + std::string(name_of(value));
        }
        fail(key, "one of " + names);
    }

    // A required text that is one of these.
    std::string one_of(const char* key, std::initializer_list<std::string_view> known) const;

    // This object as JSON text without line breaks.
    std::string dump() const;
    // This place as an array of objects.
    std::vector<JsonPlace> items() const;

    [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

private:
    JsonPlace(std::shared_ptr<const Json> root, const Json* here, std::string file, std::string path);
    const Json* find(const char* key) const;  // null when absent or null
    const Json& require(const char* key, const char* expected) const;
    std::string path_of(const std::string& key) const;

    std::shared_ptr<const Json> root_;
    const Json* here_;
    std::string file_;
    std::string path_;
};

template <typename Value>
std::vector<Value> read_all(const std::vector<JsonPlace>& places, Value (*read)(const JsonPlace&)) {
    std::vector<Value> values;
    values.reserve(places.size());
    for (const JsonPlace& place : places) {
        values.push_back(read(place));
    }
    return values;
}

// What `read` returns; nothing where it throws InputError: for records that are made again where they cannot be read.
template <typename Read>
auto unless_unreadable(const Read& read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const InputError&) {
        return std::nullopt;
    }
}

// Groups of keys that several records share, written and read. Readers throw InputError as JsonPlace does; what they return is absent where the record has none of the keys.

inline constexpr std::array estimate_kinds{EstimateKind::measured, EstimateKind::interpolated,
                                           EstimateKind::missing};

// Adds widths, depths, inner_widths (null where all are derived) and resolution.
void add_choice(Json& json, const std::optional<ScalingChoice>& choice);
std::optional<ScalingChoice> choice_in(const JsonPlace& place);
ScalingChoice required_choice_in(const JsonPlace& place);

double images_per_s(int batch, double latency_us);
// Adds images_per_s, p95_us, p99_us, passes and percentiles_reason. What was not measured is null.
void add_throughput(Json& json, int batch, const std::optional<double>& latency_us,
                    const UpperPercentiles& upper);
// Without samples where an older program wrote the record.
UpperPercentiles percentiles_in(const JsonPlace& place);

std::optional<DataType> type_in(const JsonPlace& place);     // dtype
std::optional<CacheState> cache_in(const JsonPlace& place);  // cache

Json fingerprint_json(const InputFingerprint& input_fingerprint);
std::optional<InputFingerprint> fingerprint_in(const JsonPlace& place);  // made_from

Json device_json(const DeviceRecord& device);

}  // namespace hacscale::records
