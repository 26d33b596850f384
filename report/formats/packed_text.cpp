#include "report/formats/packed_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <vector>

#include "base/error.hpp"

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

constexpr int gzip_window_bits = 15 + 16;  // the largest window; 16 asks for gzip's header
constexpr int max_memory = 9;

std::vector<unsigned char> gzip(std::string_view text) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window_bits, max_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::vector<unsigned char> packed(deflateBound(&stream, text.size()));
    // zlib takes its input as a pointer to what may be changed; it is only read.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    const int status = deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw WorkError("packing a chart's data failed in zlib");
    return packed;
}

std::string base64(const std::vector<unsigned char>& bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8U | (k < count ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18U - 6U * k) & 63U] : '=';
    }
    return text;
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

std::string packed_text(std::string_view text) {
    return base64(gzip(text));
}

}  // namespace hacscale::report
