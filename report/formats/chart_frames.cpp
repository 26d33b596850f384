#include "report/formats/chart_frames.hpp"

#include <algorithm>

namespace hacscale::report {

namespace {

using Json = nlohmann::json;

Json values_of_row(const Json& datum) {
    Json values = Json::array();
    for (const Json& value : datum) values.push_back(value);
    return values;
}

Json fields_of(const Json& datum) {
    Json fields = Json::array();
    for (const auto& [name, value] : datum.items()) fields.push_back(name);
    return fields;
}

Json by_columns(const Json& data) {
    if (data.empty() || !data.front().is_object()) return data;
    const Json fields = fields_of(data.front());
    const bool alike = std::all_of(data.begin(), data.end(), [&](const Json& datum) {
        return datum.is_object() && fields_of(datum) == fields;
    });
    if (!alike) return data;
    Json rows = Json::array();
    for (const Json& datum : data) rows.push_back(values_of_row(datum));
    return {{"fields", fields}, {"rows", std::move(rows)}};
}

// Takes the data out of the specification.
Json taken_data(Json& spec) {
    Json data = Json::object();
    for (Json& set : spec.at("data")) {
        if (!set.contains("values")) continue;
        data[set.at("name").get<std::string>()] = by_columns(set.at("values"));
        set.erase("values");
    }
    return data;
}

Json taken_signals(Json& spec) {
    Json signals = Json::object();
    for (Json& signal : spec.value("signals", Json::array())) {
        if (signal.contains("value")) signals[signal.at("name").get<std::string>()] = signal.at("value");
    }
    for (Json& signal : spec["signals"]) signal.erase("value");
    return signals;
}

}  // namespace

ChartFrames::Packed ChartFrames::pack(const std::string& text) {
    Json spec = Json::parse(text);
    Json contents{{"data", taken_data(spec)}};
    Json whole = spec;
    Json signals = taken_signals(spec);
    const auto [found, is_new] = frames_.try_emplace(spec.dump());
    if (is_new) found->second = {static_cast<int>(frames_.size()), signals};
    contents["signals"] = Json::object();
    for (const auto& [name, value] : signals.items()) {
        if (found->second.signals.at(name) != value) contents["signals"][name] = value;
    }
    return {found->second.number, is_new ? whole.dump() : std::string(), contents.dump()};
}

}  // namespace hacscale::report
