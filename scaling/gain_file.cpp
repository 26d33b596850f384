// Sensitivity and importance files; their format is described in docs/formats.md.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "scaling/gain.hpp"

namespace hacscale {
namespace {

// One mapping of a YAML (or JSON) document, read strictly: a key that is unknown, repeated or missing, or a
// value of the wrong type, is an InputError with file and line.
class StrictMap {
public:
    StrictMap(const YAML::Node& node, std::string what, std::initializer_list<std::string_view> keys,
              const std::string& file);

    bool has(const char* key) const;
    YAML::Node at(const char* key) const;  // required
    std::string text(const char* key) const;
    double number(const char* key) const;  // finite
    double number_or(const char* key, double otherwise) const;
    [[noreturn]] void fail(const YAML::Node& node, const std::string& message) const;

private:
    YAML::Node node_;
    std::string what_;
    const std::string& file_;
};

StrictMap::StrictMap(const YAML::Node& node, std::string what, std::initializer_list<std::string_view> keys,
                     const std::string& file)
    : node_(node), what_(std::move(what)), file_(file) {
    if (!node.IsMap()) fail(node, fmt::format("{} must be a mapping", what_));
    std::set<std::string> seen;
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) fail(entry.first, fmt::format("{}: a key must be a word", what_));
        const std::string& key = entry.first.Scalar();
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
            fail(entry.first, fmt::format("{}: unknown key '{}', expected one of {}", what_, key,
                                          fmt::join(keys.begin(), keys.end(), ", ")));
        }
        if (!seen.insert(key).second) {
            fail(entry.first, fmt::format("{}: the key '{}' is repeated", what_, key));
        }
    }
}

bool StrictMap::has(const char* key) const {
    return node_[key].IsDefined();
}

YAML::Node StrictMap::at(const char* key) const {
    const YAML::Node value = node_[key];
    if (!value.IsDefined()) fail(node_, fmt::format("{} lacks the key '{}'", what_, key));
    return value;
}

std::string StrictMap::text(const char* key) const {
    const YAML::Node value = at(key);
    if (!value.IsScalar()) fail(value, fmt::format("{}: '{}' must be a text", what_, key));
    return value.Scalar();
}

double StrictMap::number(const char* key) const {
    const YAML::Node value = at(key);
    double number = 0.0;
    if (!value.IsScalar() || !YAML::convert<double>::decode(value, number) || !std::isfinite(number)) {
        fail(value, fmt::format("{}: '{}' must be a finite number", what_, key));
    }
    return number;
}

double StrictMap::number_or(const char* key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
}

void StrictMap::fail(const YAML::Node& node, const std::string& message) const {
    throw InputError(file_, node.Mark().line + 1, message);
}

constexpr std::size_t largest_file = std::size_t{4} << 20;  // an importance file has one line a layer

void check_model(const StrictMap& document, const ModelSpec& base) {
    if (!document.has("model_hash")) return;
    const std::string expected = model_hash(base);
    const std::string found = document.text("model_hash");
    if (found == expected) return;
    document.fail(
        document.at("model_hash"),
        fmt::format("the file is for a model with the hash {}, but {} has {}; use the file of this model",
                    found, base.name, expected));
}

YAML::Node list(const StrictMap& map, const char* key) {
    const YAML::Node node = map.at(key);
    if (!node.IsSequence()) map.fail(node, fmt::format("'{}' must be a list", key));
    return node;
}

Coefficient coefficient(const YAML::Node& node, const std::string& what, const std::string& file) {
    if (node.IsNull()) {
        throw InputError(file, node.Mark().line + 1,
                         what +
                             ": it was not measured, and what it is worth is not known; let `hacscale "
                             "sensitivity` finish its runs, or write a coefficient");
    }
    const StrictMap map(node, what, {"coefficient", "spread", "seeds", "points", "ln_ratio"}, file);
    const Coefficient result{map.number("coefficient"), map.number_or("spread", 0.0)};
    if (result.spread < 0.0) map.fail(node, what + ": a spread must not be negative");
    return result;
}

Gain sensitivity(const YAML::Node& root, const std::string& file, const ModelSpec& base) {
    const StrictMap document(root, "a sensitivity file",
                             {"kind", "model", "model_hash", "unit", "stages", "resolution", "base",
                              "combinations", "held_out", "rank_correlation", "left_out", "provenance"},
                             file);
    check_model(document, base);
    Gain gain;
    gain.origin = GainOrigin::sensitivity;
    gain.base = choice_of(base);
    gain.model = base;
    gain.unit = document.has("unit") ? document.text("unit") : "accuracy points";
    const YAML::Node stages = list(document, "stages");
    if (stages.size() != base.stages.size()) {
        document.fail(stages,
                      fmt::format("there are {} stages, but {} has {}; give one entry a stage, in order",
                                  stages.size(), base.name, base.stages.size()));
    }
    for (std::size_t s = 0; s < stages.size(); ++s) {
        const StrictMap stage(stages[s], "a stage", {"name", "width", "depth"}, file);
        const std::string name = stage.text("name");
        if (name != base.stages[s].name) {
            stage.fail(stages[s], fmt::format("stage {} is named '{}', but in {} it is '{}'", s + 1, name,
                                              base.name, base.stages[s].name));
        }
        gain.stages.push_back({coefficient(stage.at("width"), name + ", width", file),
                               coefficient(stage.at("depth"), name + ", depth", file)});
    }
    // What trainings measured is the whole stage's width; its blocks share it as they do capacity.
    const Gain capacity = capacity_gain(base);
    for (std::size_t s = 0; s < gain.stages.size(); ++s) {
        const StageGain& share = capacity.stages[s];
        for (const double inner : share.inner) {
            gain.stages[s].inner.push_back(gain.stages[s].width.value * inner / share.width.value);
        }
    }
    if (document.has("resolution") && !document.at("resolution").IsNull()) {
        gain.resolution = coefficient(document.at("resolution"), "resolution", file);
    }
    return gain;
}

// The block to whose inner width a layer's outputs belong.
struct InnerLayer {
    int stage = 0;
    int block = 0;
};

// By layer name. What changes when a block's inner width does are that block's inner layers.
std::map<std::string, InnerLayer> inner_layers(const ModelSpec& base) {
    std::map<std::string, InnerLayer> found;
    const Graph network = lower(base);
    for (int s = 0; s < static_cast<int>(base.stages.size()); ++s) {
        const InnerRule rule(base, s);
        for (int block = 0; block < base.stages[static_cast<std::size_t>(s)].depth; ++block) {
            if (!rule.is_free(block)) continue;
            ModelSpec changed = base;
            changed.stages[static_cast<std::size_t>(s)].inner_widths[static_cast<std::size_t>(block)] +=
                rule.grid();
            const Graph other = lower(changed);
            for (std::size_t i = 0; i < network.nodes.size() && other.nodes.size() == network.nodes.size();
                 ++i) {
                if (network.nodes[i].layer.out_channels != other.nodes[i].layer.out_channels) {
                    found[network.nodes[i].name] = {s, block};
                }
            }
        }
    }
    return found;
}

struct StageImportance {
    Coefficient all;            // of its layers
    std::vector<double> inner;  // of each block's inner layers
};

// Sums over layers; the spread of a sum of layers measured apart is the root of the sum of squares.
std::vector<StageImportance> stage_importance(const StrictMap& document, const std::string& file,
                                              const ModelSpec& base) {
    std::map<std::string, int> stage_of_layer;
    for (const Node& node : lower(base).nodes) stage_of_layer[node.name] = node.stage;
    const std::map<std::string, InnerLayer> inner = inner_layers(base);
    std::vector<StageImportance> sums(base.stages.size());
    for (std::size_t s = 0; s < sums.size(); ++s) {
        sums[s].inner.resize(static_cast<std::size_t>(base.stages[s].depth));
    }
    std::set<std::string> seen;
    const YAML::Node layers = list(document, "layers");
    for (const YAML::Node& node : layers) {
        const StrictMap layer(node, "a layer", {"name", "importance", "spread"}, file);
        const std::string name = layer.text("name");
        const auto known = stage_of_layer.find(name);
        if (known == stage_of_layer.end()) {
            layer.fail(node,
                       fmt::format("{} has no layer '{}'; see `hacscale models show`", base.name, name));
        }
        if (!seen.insert(name).second) layer.fail(node, fmt::format("the layer '{}' is given twice", name));
        const double spread = layer.number_or("spread", 0.0);
        if (spread < 0.0) layer.fail(node, name + ": a spread must not be negative");
        const double importance = layer.number("importance");
        const int stage = known->second;
        if (stage < 0 || stage >= static_cast<int>(sums.size())) continue;  // stem and head are not chosen
        StageImportance& sum = sums[static_cast<std::size_t>(stage)];
        sum.all.value += importance;
        sum.all.spread = std::hypot(sum.all.spread, spread);
        if (const auto at = inner.find(name); at != inner.end()) {
            sum.inner[static_cast<std::size_t>(at->second.block)] += importance;
        }
    }
    return sums;
}

Gain importance(const YAML::Node& root, const std::string& file, const ModelSpec& base) {
    const StrictMap document(root, "an importance file",
                             {"kind", "model", "model_hash", "method", "layers", "provenance"}, file);
    check_model(document, base);
    const std::vector<StageImportance> sums = stage_importance(document, file, base);
    double total = 0.0;
    for (const StageImportance& sum : sums) total += std::max(0.0, sum.all.value);
    if (!(total > 0.0)) {
        document.fail(document.at("layers"),
                      "no stage has an importance above 0; there is nothing to share out");
    }
    Gain gain = capacity_gain(base);
    gain.origin = GainOrigin::importance;
    double width = 0.0;
    for (const StageGain& stage : gain.stages) width += stage.width.value;
    for (std::size_t s = 0; s < sums.size(); ++s) {
        gain.stages[s].width = {width * std::max(0.0, sums[s].all.value) / total,
                                width * sums[s].all.spread / total};
        for (std::size_t block = 0; block < sums[s].inner.size(); ++block) {
            gain.stages[s].inner[block] = width * std::max(0.0, sums[s].inner[block]) / total;
        }
    }
    return gain;
}

}  // namespace

Gain parse_gain(const std::string& text, const std::string& origin, const ModelSpec& base) {
    YAML::Node root;
    try {
        root = YAML::Load(text);
    } catch (const YAML::ParserException& error) {
        throw InputError(origin, error.mark.line + 1, "neither YAML nor JSON: " + error.msg);
    }
    if (!root.IsMap() || !root["kind"].IsDefined() || !root["kind"].IsScalar()) {
        throw InputError(origin, 1, "expected a mapping with the key 'kind': sensitivity or importance");
    }
    const std::string kind = root["kind"].Scalar();
    if (kind == "sensitivity") return sensitivity(root, origin, base);
    if (kind == "importance") return importance(root, origin, base);
    throw InputError(origin, root["kind"].Mark().line + 1,
                     fmt::format("the kind is '{}', expected sensitivity or importance", kind));
}

namespace {

Gain load_one(const std::filesystem::path& file, const ModelSpec& base) {
    return parse_gain(read_file(file, largest_file), file.string(), base);
}

Gain with_usual_shape(Gain gain) {
    if (gain.origin == GainOrigin::importance) gain.saturation = usual_saturation;
    gain.imbalance = usual_imbalance;
    return gain;
}

// Stages as the one says, the inner layers of their blocks in the other's proportions.
Gain within_stages(Gain sensitivity, const Gain& importance) {
    for (std::size_t s = 0; s < sensitivity.stages.size(); ++s) {
        StageGain& stage = sensitivity.stages[s];
        const StageGain& share = importance.stages[s];
        for (std::size_t block = 0; block < stage.inner.size(); ++block) {
            stage.inner[block] =
                share.width.value > 0.0 ? stage.width.value * share.inner[block] / share.width.value : 0.0;
        }
    }
    return sensitivity;
}

}  // namespace

Gain load_gain(const std::vector<std::filesystem::path>& files, const ModelSpec& base) {
    if (files.empty()) return balanced_gain(base);
    if (files.front() == capacity_word && files.size() == 1) return capacity_gain(base);
    const Gain first = load_one(files.front(), base);
    if (files.size() == 1) return with_usual_shape(first);
    const Gain second = load_one(files[1], base);
    if (files.size() > 2 || first.origin == second.origin) {
        throw InputError(fmt::format(
            "{}: a second {} file; give one sensitivity file, one importance file, or one of each",
            files.back().string(), name_of(second.origin)));
    }
    return with_usual_shape(first.origin == GainOrigin::sensitivity ? within_stages(first, second)
                                                                    : within_stages(second, first));
}

}  // namespace hacscale
