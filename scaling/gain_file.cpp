// Sensitivity and importance files; their format is described in docs/formats.md.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/yaml/yaml_reader.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "scaling/gain.hpp"

namespace hacscale {
namespace {

using detail::YamlFields;
using detail::YamlNode;

// Beyond what any method measures, and sums over all layers stay finite.
constexpr double max_figure = 1e12;

[[noreturn]] void refuse(const YamlFields& fields, const YamlNode& node, const std::string& message) {
    throw InputError(fields.origin(), node.line, message);
}

// The value of a key that is there and not null.
const YamlNode* given(const YamlFields& fields, std::string_view key) {
    const YamlNode* node = fields.find(key);
    return node == nullptr || node->kind == YamlNode::Kind::null ? nullptr : node;
}

std::string text_of(const YamlFields& fields, std::string_view key) {
    return detail::read_text(fields.required(key), key, fields.origin());
}

double figure_of(const YamlFields& fields, std::string_view key) {
    return detail::read_number_between(fields.required(key), key, -max_figure, max_figure, fields.origin());
}

double spread_of(const YamlFields& fields) {
    const YamlNode* node = given(fields, "spread");
    return node == nullptr ? 0.0
                           : detail::read_number_between(*node, "spread", 0.0, max_figure, fields.origin());
}

const std::vector<YamlNode>& entries_of(const YamlFields& fields, std::string_view key) {
    const YamlNode& node = fields.required(key);
    if (node.kind != YamlNode::Kind::sequence) {
        refuse(fields, node, fmt::format("{}: expected a list, found {}", key, describe(node)));
    }
    return node.items;
}

void check_model(const YamlFields& document, const ModelSpec& base) {
    if (document.find("model_hash") == nullptr) return;
    const std::string expected = model_hash(base);
    const std::string found = text_of(document, "model_hash");
    if (found == expected) return;
    refuse(document, document.required("model_hash"),
           fmt::format("the file is for a model with the hash {}, but {} has {}; use the file of this model",
                       found, base.name, expected));
}

Coefficient coefficient(const YamlNode& node, const std::string& what, const std::string& file) {
    if (node.kind == YamlNode::Kind::null) {
        throw InputError(file, node.line,
                         what +
                             ": it was not measured, and what it is worth is not known; let `hacscale "
                             "sensitivity` finish its runs, or write a coefficient");
    }
    const YamlFields fields(node, what, {"coefficient", "spread", "seeds", "points", "ln_ratio"}, file);
    return {figure_of(fields, "coefficient"), spread_of(fields)};
}

Gain sensitivity(const YamlNode& root, const std::string& file, const ModelSpec& base) {
    const YamlFields document(
        root, "a sensitivity file",
        {"kind", "model", "model_hash", "unit", "stages", "resolution", "base", "combinations", "held_out",
         "rank_correlation", "mean_error", "left_out", "provenance"},
        file);
    check_model(document, base);
    Gain gain;
    gain.origin = GainOrigin::sensitivity;
    gain.base = choice_of(base);
    gain.model = base;
    gain.unit = document.find("unit") == nullptr ? "accuracy points" : text_of(document, "unit");
    const std::vector<YamlNode>& stages = entries_of(document, "stages");
    if (stages.size() != base.stages.size()) {
        refuse(document, document.required("stages"),
               fmt::format("there are {} stages, but {} has {}; give one entry a stage, in order",
                           stages.size(), base.name, base.stages.size()));
    }
    for (std::size_t s = 0; s < stages.size(); ++s) {
        const YamlFields stage(stages[s], "a stage", {"name", "width", "depth"}, file);
        const std::string name = text_of(stage, "name");
        if (name != base.stages[s].name) {
            refuse(stage, stages[s],
                   fmt::format("stage {} is named '{}', but in {} it is '{}'", s + 1, name, base.name,
                               base.stages[s].name));
        }
        gain.stages.push_back({coefficient(stage.required("width"), name + ", width", file),
                               coefficient(stage.required("depth"), name + ", depth", file)});
    }
    // What trainings measured is the whole stage's width; its blocks share it as they do capacity.
    const Gain capacity = capacity_gain(base);
    for (std::size_t s = 0; s < gain.stages.size(); ++s) {
        const StageGain& share = capacity.stages[s];
        for (const double inner : share.inner) {
            gain.stages[s].inner.push_back(gain.stages[s].width.value * inner / share.width.value);
        }
    }
    if (const YamlNode* resolution = given(document, "resolution")) {
        gain.resolution = coefficient(*resolution, "resolution", file);
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
std::vector<StageImportance> stage_importance(const YamlFields& document, const std::string& file,
                                              const ModelSpec& base) {
    std::map<std::string, int> stage_of_layer;
    for (const Node& node : lower(base).nodes) stage_of_layer[node.name] = node.stage;
    const std::map<std::string, InnerLayer> inner = inner_layers(base);
    std::vector<StageImportance> sums(base.stages.size());
    for (std::size_t s = 0; s < sums.size(); ++s) {
        sums[s].inner.resize(static_cast<std::size_t>(base.stages[s].depth));
    }
    std::set<std::string> seen;
    for (const YamlNode& node : entries_of(document, "layers")) {
        const YamlFields layer(node, "a layer", {"name", "importance", "spread"}, file);
        const std::string name = text_of(layer, "name");
        const auto known = stage_of_layer.find(name);
        if (known == stage_of_layer.end()) {
            refuse(layer, node,
                   fmt::format("{} has no layer '{}'; see `hacscale models show`", base.name, name));
        }
        if (!seen.insert(name).second)
            refuse(layer, node, fmt::format("the layer '{}' is given twice", name));
        const double importance = figure_of(layer, "importance");
        const double spread = spread_of(layer);
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

Gain importance(const YamlNode& root, const std::string& file, const ModelSpec& base) {
    const YamlFields document(root, "an importance file",
                              {"kind", "model", "model_hash", "method", "layers", "provenance"}, file);
    check_model(document, base);
    const std::vector<StageImportance> sums = stage_importance(document, file, base);
    double total = 0.0;
    for (const StageImportance& sum : sums) total += std::max(0.0, sum.all.value);
    if (!(total > 0.0)) {
        refuse(document, document.required("layers"),
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
    const YamlNode root = detail::parse_yaml(text, origin);
    const YamlNode* kind = root.find("kind");
    if (kind == nullptr || kind->kind != YamlNode::Kind::scalar) {
        throw InputError(origin, 1, "expected a mapping with the key 'kind': sensitivity or importance");
    }
    if (kind->text == "sensitivity") return sensitivity(root, origin, base);
    if (kind->text == "importance") return importance(root, origin, base);
    throw InputError(origin, kind->line,
                     fmt::format("kind: expected sensitivity or importance, found {}", describe(*kind)));
}

namespace {

Gain load_one(const std::filesystem::path& file, const ModelSpec& base) {
    return parse_gain(detail::read_yaml_file(file, "a sensitivity or importance file"), file.string(), base);
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
