#include "records/parts.hpp"

namespace hacscale::records {

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

Json made_from_json(const MadeFrom& made_from) {
    return {{"version", made_from.version},
            {"suite_hash", made_from.suite_hash},
            {"rows_hash", made_from.rows_hash},
            {"seconds", made_from.seconds}};
}

std::optional<MadeFrom> made_from_in(const JsonPlace& place) {
    const std::optional<JsonPlace> made_from = place.object_or_null("made_from");
    if (!made_from) {
        return std::nullopt;
    }
    return MadeFrom{made_from->text("version"), made_from->text("suite_hash"), made_from->text("rows_hash"),
                    made_from->number("seconds")};
}

Json device_json(const DeviceRecord& device) {
    return {{"id", device.id},
            {"name", device.name},
            {"fingerprint", device.fingerprint},
            {"properties", Json::parse(device.properties)}};
}

}  // namespace hacscale::records
