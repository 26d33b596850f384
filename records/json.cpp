#include "records/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/text/read_file.hpp"
#include "base/text/utf8.hpp"

namespace hacscale::records {

namespace {

constexpr std::uintmax_t max_file_bytes = std::uintmax_t{256} << 20;
constexpr double max_whole_number = 9007199254740992.0;  // beyond it, doubles skip numbers

std::optional<std::vector<int>> integers_of(const Json& array) {
    if (!array.is_array()) {
        return std::nullopt;
    }
    std::vector<int> numbers;
    for (const auto& item : array) {
        if (!item.is_number_integer() || std::abs(item.get<double>()) > std::numeric_limits<int>::max()) {
            return std::nullopt;
        }
        numbers.push_back(item.get<int>());
    }
    return numbers;
}

// Not one with the escape \u0000.
bool is_text(const Json& value) {
    return value.is_string() && !has_zero_byte(value.get_ref<const std::string&>());
}

}  // namespace

JsonPlace::JsonPlace(std::shared_ptr<const Json> root, const Json* here, std::string file, std::string path)
    : root_(std::move(root)), here_(here), file_(std::move(file)), path_(std::move(path)) {}

JsonPlace JsonPlace::open(const std::filesystem::path& file) {
    return parse(read_file(file, max_file_bytes), file.string());
}

JsonPlace JsonPlace::parse(const std::string& text, const std::string& name) {
    if (is_nested_deeply(text)) throw InputError(fmt::format("{}: is nested more than 100 deep", name));
    try {
        auto root = std::make_shared<const Json>(Json::parse(text));
        const Json* here = root.get();
        return JsonPlace(std::move(root), here, name, "");
    } catch (const Json::exception&) {
        refuse_json(text, name);
    }
}

std::string JsonPlace::path_of(const std::string& key) const {
    if (key.empty()) {
        return path_.empty() ? "the file" : path_;
    }
    return path_.empty() ? key : path_ + "." + key;
}

void JsonPlace::fail(const std::string& key, const std::string& expected) const {
    throw InputError(fmt::format("{}: {} must be {}; see docs/formats.md, \"Records of a run\"", file_,
                                 path_of(key), expected));
}

const Json* JsonPlace::find(const char* key) const {
    if (!here_->is_object()) {
        fail("", "an object");
    }
    const auto found = here_->find(key);
    return found == here_->end() || found->is_null() ? nullptr : &*found;
}

bool JsonPlace::has(const char* key) const {
    return find(key) != nullptr;
}

const Json& JsonPlace::require(const char* key, const char* expected) const {
    const Json* value = find(key);
    if (value == nullptr) {
        fail(key, fmt::format("{}, but is missing", expected));
    }
    return *value;
}

std::string JsonPlace::text(const char* key) const {
    require(key, "a text");
    return text_or_empty(key);
}

std::string JsonPlace::text_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    if (!is_text(*value)) {
        fail(key, "a text");
    }
    return value->get<std::string>();
}

std::string JsonPlace::label_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    if (value->is_number()) {
        return value->dump();
    }
    if (!is_text(*value)) {
        fail(key, "a text or a number");
    }
    return value->get<std::string>();
}

double JsonPlace::number(const char* key) const {
    require(key, "a number");
    return *number_or_null(key);
}

std::optional<double> JsonPlace::number_or_null(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_number()) {
        fail(key, "a number or null");
    }
    return value->get<double>();
}

double JsonPlace::positive(const char* key) const {
    require(key, "a number above 0");
    return *positive_or_null(key);
}

std::optional<double> JsonPlace::positive_or_null(const char* key) const {
    const std::optional<double> value = number_or_null(key);
    if (value && !(*value > 0.0)) {
        fail(key, "a number above 0");
    }
    return value;
}

int JsonPlace::integer(const char* key) const {
    require(key, "a whole number");
    return *integer_or_null(key);
}

std::optional<int> JsonPlace::integer_or_null(const char* key) const {
    const std::optional<std::int64_t> value = count_or_null(key);
    if (value && std::abs(*value) > std::numeric_limits<int>::max()) {
        fail(key, "a whole number");
    }
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

std::optional<int> JsonPlace::index_or_null(const char* key) const {
    constexpr int max_index = 1'000'000;  // no network has as many stages or blocks
    const std::optional<int> value = integer_or_null(key);
    if (value && (*value < 0 || *value > max_index)) {
        fail(key, fmt::format("a place, from 0 to {}", max_index));
    }
    return value;
}

std::int64_t JsonPlace::count(const char* key) const {
    require(key, "a whole number");
    return *count_or_null(key);
}

std::optional<std::int64_t> JsonPlace::count_or_null(const char* key) const {
    const std::optional<double> value = number_or_null(key);
    if (!value) {
        return std::nullopt;
    }
    if (*value != std::floor(*value) || std::abs(*value) > max_whole_number) {
        fail(key, "a whole number");
    }
    return static_cast<std::int64_t>(*value);
}

std::optional<std::int64_t> JsonPlace::positive_count_or_null(const char* key) const {
    const std::optional<std::int64_t> value = count_or_null(key);
    if (value && *value <= 0) {
        fail(key, "a number above 0");
    }
    return value;
}

std::int64_t JsonPlace::positive_count(const char* key) const {
    require(key, "a number above 0");
    return *positive_count_or_null(key);
}

bool JsonPlace::flag_or_false(const char* key) const {
    const Json* value = find(key);
    if (value != nullptr && !value->is_boolean()) {
        fail(key, "true or false");
    }
    return value != nullptr && value->get<bool>();
}

std::vector<int> JsonPlace::integers(const char* key) const {
    const auto numbers = integers_of(require(key, "an array of whole numbers"));
    if (!numbers) {
        fail(key, "an array of whole numbers");
    }
    return *numbers;
}

std::vector<std::vector<int>> JsonPlace::integer_lists_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    const std::string expected = "an array of arrays of whole numbers";
    if (!value->is_array()) {
        fail(key, expected);
    }
    std::vector<std::vector<int>> lists;
    for (const Json& item : *value) {
        auto numbers = integers_of(item);
        if (!numbers) {
            fail(key, expected);
        }
        lists.push_back(std::move(*numbers));
    }
    return lists;
}

std::vector<std::string> JsonPlace::texts(const char* key) const {
    require(key, "an array of texts");
    return texts_or_empty(key);
}

std::vector<std::string> JsonPlace::texts_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    if (!value->is_array()) {
        fail(key, "an array of texts");
    }
    std::vector<std::string> all;
    for (const Json& item : *value) {
        if (!is_text(item)) {
            fail(key, "an array of texts");
        }
        all.push_back(item.get<std::string>());
    }
    return all;
}

std::vector<double> JsonPlace::numbers_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    if (!value->is_array()) {
        fail(key, "an array of numbers");
    }
    std::vector<double> all;
    for (const Json& item : *value) {
        if (!item.is_number()) {
            fail(key, "an array of numbers");
        }
        all.push_back(item.get<double>());
    }
    return all;
}

JsonPlace JsonPlace::object(const char* key) const {
    require(key, "an object");
    return *object_or_null(key);
}

std::optional<JsonPlace> JsonPlace::object_or_null(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_object()) {
        fail(key, "an object");
    }
    return JsonPlace(root_, value, file_, path_of(key));
}

std::vector<JsonPlace> JsonPlace::objects(const char* key) const {
    require(key, "an array of objects");
    return objects_or_empty(key);
}

std::vector<JsonPlace> JsonPlace::objects_or_empty(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) {
        return {};
    }
    return JsonPlace(root_, value, file_, path_of(key)).items();
}

std::vector<JsonPlace> JsonPlace::items() const {
    if (!here_->is_array()) {
        fail("", "an array of objects");
    }
    std::vector<JsonPlace> all;
    all.reserve(here_->size());
    for (std::size_t index = 0; index < here_->size(); ++index) {
        const Json& item = (*here_)[index];
        JsonPlace place(root_, &item, file_, fmt::format("{}[{}]", path_, index));
        if (!item.is_object()) {
            place.fail("", "an object");
        }
        all.push_back(std::move(place));
    }
    return all;
}

std::string JsonPlace::one_of(const char* key, std::initializer_list<std::string_view> known) const {
    std::string value = text(key);
    if (std::find(known.begin(), known.end(), value) == known.end()) {
        fail(key, fmt::format("one of {}", fmt::join(known, ", ")));
    }
    return value;
}

std::string JsonPlace::dump() const {
    return here_->dump();
}

void add_choice(Json& json, const std::optional<ScalingChoice>& choice) {
    json["widths"] = choice ? Json(choice->widths) : Json(nullptr);
    json["depths"] = choice ? Json(choice->depths) : Json(nullptr);
    json["inner_widths"] =
        choice && !choice->inner_widths.empty() ? Json(choice->inner_widths) : Json(nullptr);
    json["resolution"] = choice ? Json(choice->resolution) : Json(nullptr);
}

ScalingChoice required_choice_in(const JsonPlace& place) {
    return {place.integers("widths"), place.integers("depths"), place.integer("resolution"),
            place.integer_lists_or_empty("inner_widths")};
}

std::optional<ScalingChoice> choice_in(const JsonPlace& place) {
    return place.has("widths") ? std::optional(required_choice_in(place)) : std::nullopt;
}

double images_per_s(int batch, double latency_us) {
    return batch * 1e6 / latency_us;
}

void add_throughput(Json& json, int batch, const std::optional<double>& latency_us,
                    const UpperPercentiles& upper) {
    json["images_per_s"] = latency_us ? Json(images_per_s(batch, *latency_us)) : Json(nullptr);
    json["p95_us"] = value_or_null(upper.p95);
    json["p99_us"] = value_or_null(upper.p99);
    json["passes"] = upper.samples;
    json["percentiles_reason"] = upper.reason;
}

UpperPercentiles percentiles_in(const JsonPlace& place) {
    return {place.count_or_null("passes").value_or(0), place.positive_or_null("p95_us"),
            place.positive_or_null("p99_us"), place.text_or_empty("percentiles_reason")};
}

std::optional<DataType> type_in(const JsonPlace& place) {
    return place.has("dtype") ? std::optional(place.named<DataType>("dtype", all_data_types)) : std::nullopt;
}

std::optional<CacheState> cache_in(const JsonPlace& place) {
    static constexpr std::array caches{CacheState::network, CacheState::warm, CacheState::cold};
    return place.has("cache") ? std::optional(place.named<CacheState>("cache", caches)) : std::nullopt;
}

Json fingerprint_json(const InputFingerprint& input_fingerprint) {
    return {{"version", input_fingerprint.version},
            {"suite_hash", input_fingerprint.suite_hash},
            {"rows_hash", input_fingerprint.rows_hash},
            {"seconds", input_fingerprint.seconds}};
}

std::optional<InputFingerprint> fingerprint_in(const JsonPlace& place) {
    const std::optional<JsonPlace> input_fingerprint = place.object_or_null("made_from");
    if (!input_fingerprint) {
        return std::nullopt;
    }
    return InputFingerprint{input_fingerprint->text("version"), input_fingerprint->text("suite_hash"),
                            input_fingerprint->text("rows_hash"), input_fingerprint->number("seconds")};
}

Json device_json(const DeviceRecord& device) {
    return {{"id", device.id},
            {"name", device.name},
            {"fingerprint", device.fingerprint},
            {"properties", Json::parse(device.properties, nullptr, false)}};
}

}  // namespace hacscale::records
