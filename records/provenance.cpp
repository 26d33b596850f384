#include "records/provenance.hpp"

#include "records/json.hpp"

namespace hacscale::records {

namespace {

Json profiled_json(const std::optional<FinishedProfiling>& profiled) {
    if (!profiled) {
        return nullptr;
    }
    return {{"made_from", fingerprint_json(profiled->input_fingerprint)},
            {"tolerance", profiled->tolerance},
            {"minutes", profiled->minutes},
            {"total_minutes", profiled->total_minutes},
            {"warnings", profiled->warnings}};
}

std::optional<FinishedProfiling> profiled_in(const std::optional<JsonPlace>& place) {
    if (!place) {
        return std::nullopt;
    }
    const std::optional<InputFingerprint> input_fingerprint = fingerprint_in(*place);
    if (!input_fingerprint) {
        place->fail("made_from", "an object, but is missing");
    }
    return FinishedProfiling{*input_fingerprint, place->number("tolerance"), place->number("minutes"),
                             place->number("total_minutes"), place->texts("warnings")};
}

template <typename Value>
std::optional<std::string_view> name_or_nothing(const std::optional<Value>& value) {
    return value ? std::optional(name_of(*value)) : std::nullopt;
}

Json settings_json(const RunSettings& settings) {
    return {{"batch", value_or_null(settings.batch)},
            {"dtype", value_or_null(name_or_nothing(settings.type))},
            {"cache", value_or_null(name_or_nothing(settings.cache))},
            {"threads", value_or_null(settings.threads)}};
}

RunSettings settings_in(const JsonPlace& place) {
    return {place.integer_or_null("batch"), type_in(place), cache_in(place),
            place.integer_or_null("threads")};
}

// The members of an object that are not null: texts as they are, other values as JSON.
std::vector<std::pair<std::string, std::string>> members_of(const Json& object) {
    std::vector<std::pair<std::string, std::string>> members;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_null()) {
            members.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
        }
    }
    return members;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> named_settings(const Provenance& provenance) {
    return members_of(settings_json(provenance.settings));
}

std::vector<std::pair<std::string, std::string>> named_properties(const DeviceRecord& device) {
    const Json properties = Json::parse(device.properties, nullptr, false);
    return properties.is_object() ? members_of(properties)
                                  : std::vector<std::pair<std::string, std::string>>();
}

std::string to_json(const Provenance& provenance) {
    return text_of({{"program", provenance.program},
                    {"version", provenance.version},
                    {"command", provenance.command},
                    {"suite", provenance.suite},
                    {"suite_hash", provenance.suite_hash},
                    {"shard", provenance.shard},
                    {"started_at", provenance.started_at},
                    {"finished_at", provenance.finished_at},
                    {"device", device_json(provenance.device)},
                    {"settings", settings_json(provenance.settings)},
                    {"warnings", provenance.warnings},
                    {"profiled", profiled_json(provenance.profiled)}});
}

Provenance read_provenance(const std::filesystem::path& file) {
    const JsonPlace root = JsonPlace::open(file);
    Provenance provenance;
    provenance.program = root.text("program");
    provenance.version = root.text("version");
    provenance.command = root.text("command");
    provenance.suite = root.text_or_empty("suite");
    provenance.suite_hash = root.text_or_empty("suite_hash");
    provenance.shard = root.text_or_empty("shard");
    provenance.started_at = root.text_or_empty("started_at");
    provenance.finished_at = root.text_or_empty("finished_at");
    const JsonPlace device = root.object("device");
    const std::optional<JsonPlace> properties = device.object_or_null("properties");
    provenance.device = {device.text("id"), device.text("name"), device.text("fingerprint"),
                         properties ? properties->dump() : "{}"};
    provenance.settings = settings_in(root.object("settings"));
    provenance.warnings = root.texts_or_empty("warnings");
    provenance.profiled = profiled_in(root.object_or_null("profiled"));
    return provenance;
}

}  // namespace hacscale::records
