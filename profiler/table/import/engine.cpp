#include "profiler/table/import/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.hpp"
#include "base/statistics.hpp"
#include "base/tabular/tabular.hpp"
#include "base/text/json_text.hpp"
#include "base/text/read_file.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::detail {
namespace {

using EngineJson = nlohmann::json;

constexpr double max_ms = 1e9;
constexpr std::uintmax_t max_json_bytes = std::uintmax_t{256} << 20;

// TensorRT separates the parts of a layer's metadata by control characters, and does not always escape them.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '\x1e' || c == '\x1f') {
            result += c == '\x1e' ? "\\u001e" : "\\u001f";
        } else {
            result += c;
        }
    }
    return result;
}

EngineJson parsed_json(const std::filesystem::path& file) {
    const std::string text = escaped(read_file(file, max_json_bytes));
    const auto check = [&file](int, EngineJson::parse_event_t, const EngineJson& value) {
        check_text(value, file.string());
        return true;
    };
    try {
        return EngineJson::parse(text, check);
    } catch (const EngineJson::exception&) {
        refuse_json(text, file.string());
    }
}

[[noreturn]] void fail_at(const std::filesystem::path& file, const std::string& place,
                          std::string_view expected) {
    throw InputError(fmt::format("{}: {}: expected {}", file.string(), place, expected));
}

// A time of 0 or more.
double milliseconds(const std::filesystem::path& file, const std::string& place, const EngineJson& object,
                    const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) {
        fail_at(file, place, fmt::format("milliseconds under '{}'", key));
    }
    const double value = found->get<double>();
    if (!(value >= 0.0 && value <= max_ms))
        fail_at(file, fmt::format("{}.{}", place, key), "milliseconds, 0 or more");
    return value;
}

void read_profile(const std::filesystem::path& file, Engine& engine) {
    const EngineJson root = parsed_json(file);
    if (!root.is_array()) fail_at(file, "the file", "an array of layers, as --exportProfile writes it");
    for (std::size_t i = 0; i < root.size(); ++i) {
        const EngineJson& item = root[i];
        const std::string place = fmt::format("[{}]", i);
        if (!item.is_object()) fail_at(file, place, "an object");
        if (const auto count = item.find("count"); count != item.end()) {
            if (!count->is_number_integer() || count->get<std::int64_t>() < 1) {
                fail_at(file, place + ".count", "a number of passes, 1 or more");
            }
            engine.passes = count->get<std::int64_t>();
            continue;
        }
        const auto name = item.find("name");
        if (name == item.end() || !name->is_string()) fail_at(file, place, "a layer's 'name'");
        TimedEngineLayer layer;
        layer.name = name->get<std::string>();
        const bool median = item.contains("medianMs");
        layer.latency_us = us_a_ms * milliseconds(file, place, item, median ? "medianMs" : "averageMs");
        engine.layers.push_back(std::move(layer));
    }
    if (engine.layers.empty()) fail_at(file, "the file", "at least one layer");
}

// All of "[ONNX Layer: NAME]".
std::vector<std::string> onnx_layers(const std::string& metadata) {
    constexpr std::string_view begins = "[ONNX Layer: ";
    std::vector<std::string> names;
    for (std::size_t at = metadata.find(begins); at != std::string::npos; at = metadata.find(begins, at)) {
        at += begins.size();
        // A name may have brackets in it: it ends where the entry does.
        std::size_t end = metadata.find_first_of("\x1e\x1f", at);
        end = metadata.rfind(
            ']', std::min(end == std::string::npos ? metadata.size() : end, metadata.find(begins, at)));
        if (end == std::string::npos || end < at) break;
        names.push_back(metadata.substr(at, end - at));
    }
    return names;
}

std::string text_in(const EngineJson& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The words that TensorRT's versions have for the type in which a layer computes.
void set_type(const EngineJson& info, TimedEngineLayer& layer) {
    std::string words;
    if (const auto weights = info.find("Weights"); weights != info.end() && weights->is_object()) {
        words = text_in(*weights, "Type");
    }
    if (const auto outputs = info.find("Outputs"); words.empty() && outputs != info.end() &&
                                                   outputs->is_array() && !outputs->empty() &&
                                                   outputs->front().is_object()) {
        words = text_in(outputs->front(), "Format/Datatype") + text_in(outputs->front(), "Datatype");
    }
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    struct Word {
        std::string_view text;
        std::optional<DataType> type;
    };
    constexpr std::array known{Word{"bf16", DataType::bf16}, Word{"bfloat16", DataType::bf16},
                               Word{"fp16", DataType::f16},  Word{"half", DataType::f16},
                               Word{"int8", std::nullopt},   Word{"fp8", std::nullopt},
                               Word{"int4", std::nullopt},   Word{"fp4", std::nullopt},
                               Word{"fp32", DataType::f32},  Word{"float", DataType::f32}};
    for (const Word& word : known) {
        if (words.find(word.text) == std::string::npos) continue;
        layer.type = word.type;
        if (!word.type) layer.other_type = word.text;
        return;
    }
}

class LayerDetails {
public:
    explicit LayerDetails(const EngineJson& info) : info_(info) {}

    // N C H W of the first input or output; nothing where it is no map.
    std::optional<std::array<int, 4>> dimensions(const char* key, std::size_t index) const {
        const auto tensors = info_.find(key);
        if (tensors == info_.end() || !tensors->is_array() || tensors->size() <= index) return std::nullopt;
        const EngineJson& tensor = (*tensors)[index];
        if (!tensor.is_object()) return std::nullopt;
        std::array<int, 4> sizes{};
        return numbers(tensor, "Dimensions", sizes) ? std::optional(sizes) : std::nullopt;
    }

    // A conv or a pool of maps; nothing for others, and where something is not said.
    std::optional<LayerSpec> layer() const {
        const std::string kind = text_in(info_, "ParameterType");
        const auto in = dimensions("Inputs", 0);
        const auto out = dimensions("Outputs", 0);
        if (!in || !out) return std::nullopt;
        LayerSpec layer;
        layer.in_channels = (*in)[1];
        layer.in_height = (*in)[2];
        layer.in_width = (*in)[3];
        layer.out_channels = (*out)[1];
        std::array<int, 2> before{};
        std::array<int, 2> after{};
        if (!numbers(info_, "PrePadding", before) || !numbers(info_, "PostPadding", after) ||
            !numbers(info_, "Stride", layer.window.strides)) {
            return std::nullopt;
        }
        layer.window.pads = {before[0], before[1], after[0], after[1]};
        const bool known = kind == "Convolution" ? conv(layer, *out) : kind == "Pooling" && pool(layer, *out);
        const bool sound = known && !validate(layer) && layer.out_height() == (*out)[2] &&
                           layer.out_width() == (*out)[3] && LayerSpec::from_key(layer.key()) == layer;
        return sound ? std::optional(layer) : std::nullopt;
    }

private:
    template <std::size_t Count>
    static bool numbers(const EngineJson& object, const char* key, std::array<int, Count>& into) {
        const auto found = object.find(key);
        if (found == object.end() || !found->is_array() || found->size() != Count) return false;
        for (std::size_t i = 0; i < Count; ++i) {
            const EngineJson& number = (*found)[i];
            if (!number.is_number_integer() || number < 0 || number > max_layer_size) return false;
            into[i] = number.get<int>();
        }
        return true;
    }

    std::optional<int> number(const char* key) const {
        const auto found = info_.find(key);
        if (found == info_.end() || !found->is_number_integer() || *found < 0 || *found > max_layer_size) {
            return std::nullopt;
        }
        return found->get<int>();
    }

    bool conv(LayerSpec& layer, const std::array<int, 4>& out) const {
        const auto groups = number("Groups");
        if (!groups || !numbers(info_, "Kernel", layer.window.kernel) ||
            !numbers(info_, "Dilation", layer.window.dilations)) {
            return false;
        }
        for (int axis = 0; axis < 2; ++axis) {
            if (layer.window.kernel[axis] == 1) layer.window.dilations[axis] = 1;
        }
        layer.groups = *groups;
        layer.bias = number("HasBias").value_or(1) != 0;
        // What is added has the output's sizes.
        layer.residual = dimensions("Inputs", 1) == std::optional(out);
        const std::string activation = text_in(info_, "Activation");
        if (activation == "RELU") layer.activation = Activation::relu;
        return activation == "RELU" || activation == "NONE" || activation.empty();
    }

    bool pool(LayerSpec& layer, const std::array<int, 4>& out) const {
        if (!numbers(info_, "WindowSize", layer.window.kernel)) return false;
        const std::string type = text_in(info_, "PoolingType");
        if (type != "MAX" && type != "AVERAGE") return false;
        layer.kind = type == "MAX" ? LayerKind::max_pool : LayerKind::avg_pool;
        const bool whole = type == "AVERAGE" && out[2] == 1 && out[3] == 1 &&
                           layer.window.kernel == std::array{layer.in_height, layer.in_width};
        if (whole) {
            layer.kind = LayerKind::global_avg_pool;
            layer.window = {};
        } else if (type == "AVERAGE" && number("AverageCountExcludesPadding").value_or(1) == 0 &&
                   layer.window.pads != std::array{0, 0, 0, 0}) {
            layer.mode = Mode::count_padding;
        }
        return true;
    }

    const EngineJson& info_;
};

void add_info(const EngineJson& info, TimedEngineLayer& layer) {
    const LayerDetails details(info);
    layer.layer = details.layer();
    const auto sizes = details.dimensions("Outputs", 0);
    if (sizes && (*sizes)[0] > 0) layer.batch = (*sizes)[0];
    layer.tactic = text_in(info, "TacticName");
    set_type(info, layer);
    if (const std::vector<std::string> named = onnx_layers(text_in(info, "Metadata")); !named.empty()) {
        layer.nodes = named;
    }
}

void read_layers(const std::filesystem::path& file, Engine& engine) {
    const EngineJson root = parsed_json(file);
    const auto layers = root.is_object() ? root.find("Layers") : root.end();
    if (!root.is_object() || layers == root.end() || !layers->is_array()) {
        fail_at(file, "the file", "an object with 'Layers', as --exportLayerInfo writes it");
    }
    std::unordered_map<std::string, const EngineJson*> by_name;
    for (std::size_t i = 0; i < layers->size(); ++i) {
        const EngineJson& layer = (*layers)[i];
        if (layer.is_string()) {
            by_name.emplace(layer.get<std::string>(), nullptr);
        } else if (layer.is_object() && layer.contains("Name") && layer["Name"].is_string()) {
            by_name.emplace(layer["Name"].get<std::string>(), &layer);
            engine.detailed = true;
        } else {
            fail_at(file, fmt::format("Layers[{}]", i), "a layer's name, or an object with its 'Name'");
        }
    }
    std::size_t known = 0;
    for (TimedEngineLayer& layer : engine.layers) {
        const auto found = by_name.find(layer.name);
        if (found == by_name.end()) continue;
        ++known;
        if (found->second != nullptr) add_info(*found->second, layer);
    }
    if (known == 0) {
        throw InputError(
            fmt::format("{}: has none of the profile's layers, {} for one; give the files of one engine",
                        file.string(), engine.layers.front().name));
    }
}

double read_times(const std::filesystem::path& file) {
    const EngineJson root = parsed_json(file);
    if (!root.is_array() || root.empty()) {
        fail_at(file, "the file", "an array of passes, as --exportTimes writes it");
    }
    std::vector<double> passes;
    for (std::size_t i = 0; i < root.size(); ++i) {
        const std::string place = fmt::format("[{}]", i);
        if (!root[i].is_object()) fail_at(file, place, "an object");
        passes.push_back(us_a_ms * milliseconds(file, place, root[i], "computeMs"));
    }
    return upper_median(std::move(passes));
}

}  // namespace

std::vector<std::string> parts_of_engine_name(const std::string& name) {
    constexpr std::string_view pointwise = "PWN(";
    constexpr std::array<std::string_view, 3> separators{" + ", ", ", " || "};
    std::vector<std::string> parts;
    // Copies between layouts are of no node; of what Myelin compiled as a whole, the name has the ends alone.
    if (name.starts_with("Reformatting CopyNode") || name.starts_with('{')) return parts;
    const auto add = [&](std::string_view part) {
        while (part.starts_with(pointwise)) part.remove_prefix(pointwise.size());
        while (part.ends_with(')') &&
               std::count(part.begin(), part.end(), ')') > std::count(part.begin(), part.end(), '(')) {
            part.remove_suffix(1);
        }
        if (!part.empty()) parts.emplace_back(part);
    };
    std::string_view rest = name;
    while (true) {
        std::size_t cut = std::string_view::npos;
        std::size_t length = 0;
        for (const std::string_view separator : separators) {
            if (const std::size_t at = rest.find(separator); at < cut) {
                cut = at;
                length = separator.size();
            }
        }
        add(rest.substr(0, cut));
        if (cut == std::string_view::npos) return parts;
        rest.remove_prefix(cut + length);
    }
}

Engine read_engine(const TensorRtFiles& files) {
    Engine engine;
    read_profile(files.profile, engine);
    for (TimedEngineLayer& layer : engine.layers) layer.nodes = parts_of_engine_name(layer.name);
    if (!files.layers.empty()) read_layers(files.layers, engine);
    if (!files.times.empty()) engine.latency_us = read_times(files.times);
    return engine;
}

}  // namespace hacscale::detail
