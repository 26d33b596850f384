#include "models/formats/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/yaml/yaml_reader.hpp"
#include "base/yaml/yaml_tree.hpp"
#include "models/graph/graph.hpp"
#include "models/stages/model_problem.hpp"

namespace hacscale {
namespace {

using detail::IntegerRange;
using detail::YamlFields;
using detail::YamlNode;

constexpr IntegerRange size_range{1, max_layer_size};
constexpr double max_ratio = 64.0;

// Reads one document; the tree outlives it.
class ModelReader {
public:
    ModelReader(const YamlNode& root, const std::string& origin) : root_(root), origin_(origin) {}

    ModelSpec read() {
        const YamlFields fields(root_, "a model",
                                {"name", "source", "input", "classes", "activation", "batch_norm_epsilon",
                                 "stem", "stages", "head", "outputs"},
                                origin_);
        model_.name = name(fields.required("name"), "name");
        if (const YamlNode* source = fields.find("source")) {
            model_.source = detail::read_text(*source, "source", origin_);
        }
        const YamlFields input(fields.required("input"), "input", {"channels", "resolution"}, origin_);
        model_.in_channels = input.integer("channels", size_range, 3);
        resolution(input.required("resolution"));
        model_.classes = fields.integer("classes", size_range, 0);
        if (const YamlNode* epsilon = fields.find("batch_norm_epsilon")) {
            model_.batch_norm_epsilon =
                detail::read_number(*epsilon, "batch_norm_epsilon", 0.0, 1.0, origin_);
        }
        activation_ = fields.word("activation", activation_from_name, Activation::relu);
        for (const YamlNode& item : entries(fields, "stem")) model_.stem.push_back(plain_layer(item));
        for (const YamlNode& item : entries(fields, "stages")) model_.stages.push_back(stage(item));
        for (const YamlNode& item : entries(fields, "head")) model_.head.push_back(plain_layer(item));
        for (const YamlNode& item : entries(fields, "outputs")) {
            model_.output_stages.push_back(stage_called(detail::read_text(item, "outputs", origin_), item));
        }
        return std::move(model_);
    }

private:
    [[noreturn]] void fail(const YamlNode& node, const std::string& message) const {
        throw InputError(origin_, node.line, message);
    }

    // Names go into file names, node names and tables.
    std::string name(const YamlNode& node, std::string_view what) const {
        std::string text = detail::read_text(node, what, origin_);
        const auto allowed = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                   c == '_' || c == '-' || c == '+' || c == '@';
        };
        if (text.empty() || text.size() > 100 || text.front() == '.' || text.front() == '-' ||
            !std::all_of(text.begin(), text.end(), allowed)) {
            fail(node,
                 fmt::format(
                     "{}: expected at most 100 letters, digits and . _ - + @, not beginning with . or -, "
                     "found {}",
                     what, describe(node)));
        }
        return text;
    }

    const std::vector<YamlNode>& entries(const YamlFields& fields, std::string_view key) const {
        static const std::vector<YamlNode> none;
        const YamlNode* node = fields.find(key);
        if (node == nullptr) return none;
        if (node->kind != YamlNode::Kind::sequence) {
            fail(*node, fmt::format("{}: expected a list, found {}", key, describe(*node)));
        }
        if (node->items.size() > max_section_entries) {
            fail(*node, fmt::format("{}: expected at most {} entries, found {}", key, max_section_entries,
                                    node->items.size()));
        }
        return node->items;
    }

    // One number of a square input, or height and width.
    void resolution(const YamlNode& node) {
        if (node.kind != YamlNode::Kind::sequence) {
            model_.resolution = detail::read_integer(node, "resolution", size_range, origin_);
            return;
        }
        if (node.items.size() != 2) {
            fail(node, fmt::format("resolution: expected one number or [height, width], found a list of {}",
                                   node.items.size()));
        }
        model_.resolution = detail::read_integer(node.items[0], "resolution", size_range, origin_);
        const int across = detail::read_integer(node.items[1], "resolution", size_range, origin_);
        model_.resolution_width = across == model_.resolution ? 0 : across;
    }

    int stage_called(const std::string& text, const YamlNode& node) const {
        for (int i = 0; i < std::ssize(model_.stages); ++i) {
            const std::string& own = model_.stages[i].name;
            if (text == (own.empty() ? fmt::format("stage{}", i + 1) : own)) return i;
        }
        fail(node, fmt::format("outputs: no stage is called '{:.60}'", text));
    }

    // ---- Stem and head ----

    // "global_avg_pool", or "conv: {...}".
    PlainLayer plain_layer(const YamlNode& item) const {
        constexpr std::string_view kinds = "conv, max_pool, global_avg_pool, norm, linear";
        YamlNode no_values;
        no_values.kind = YamlNode::Kind::mapping;
        no_values.line = item.line;
        if (item.kind == YamlNode::Kind::scalar) return plain_layer(item.text, item, no_values);
        if (item.kind != YamlNode::Kind::mapping || item.entries.size() != 1) {
            fail(item, fmt::format("expected one layer as 'kind: {{...}}' with a kind from {}, found {}{}",
                                   kinds, describe(item),
                                   item.kind == YamlNode::Kind::mapping
                                       ? fmt::format(" of {} keys", item.entries.size())
                                       : std::string()));
        }
        const detail::YamlEntry& entry = item.entries.front();
        const bool bare = entry.value.kind == YamlNode::Kind::null;
        return plain_layer(entry.key, item, bare ? no_values : entry.value);
    }

    PlainLayer plain_layer(std::string_view kind, const YamlNode& item, const YamlNode& values) const {
        if (kind == "conv") return conv(values);
        if (kind == "max_pool") return max_pool(values);
        if (kind == "global_avg_pool") {
            const YamlFields no_fields(values, kind, {}, origin_);
            return GlobalAvgPoolSpec{};
        }
        if (kind == "norm") {
            const YamlFields fields(values, kind, {"activation"}, origin_);
            return NormSpec{.activation = fields.word("activation", activation_from_name, activation_)};
        }
        if (kind == "linear") return linear(values);
        fail(item,
             fmt::format("'{:.60}' is no layer of a stem or head; expected conv, max_pool, global_avg_pool, "
                         "norm or linear",
                         kind));
    }

    ConvSpec conv(const YamlNode& values) const {
        const YamlFields fields(values, "conv",
                                {"width", "kernel", "stride", "padding", "dilation", "groups", "batch_norm",
                                 "bias", "activation"},
                                origin_);
        ConvSpec conv;
        conv.width = fields.required_integer("width", size_range);
        conv.kernel = fields.integer("kernel", size_range, conv.kernel);
        conv.stride = fields.integer("stride", size_range, conv.stride);
        conv.padding = padding(fields);
        conv.dilation = fields.integer("dilation", size_range, conv.dilation);
        conv.groups = fields.integer("groups", size_range, conv.groups);
        conv.batch_norm = fields.boolean("batch_norm", conv.batch_norm);
        conv.bias = fields.boolean("bias", conv.bias);
        conv.activation = fields.word("activation", activation_from_name, activation_);
        return conv;
    }

    std::optional<int> padding(const YamlFields& fields) const {
        const YamlNode* node = fields.find("padding");
        if (node == nullptr) return std::nullopt;
        return detail::read_integer(*node, "padding", {0, max_layer_size}, origin_);
    }

    MaxPoolSpec max_pool(const YamlNode& values) const {
        const YamlFields fields(values, "max_pool", {"kernel", "stride", "padding"}, origin_);
        MaxPoolSpec pool;
        pool.kernel = fields.required_integer("kernel", size_range);
        pool.stride = fields.required_integer("stride", size_range);
        pool.padding = fields.integer("padding", {0, pool.kernel / 2}, pool.padding);
        return pool;
    }

    LinearSpec linear(const YamlNode& values) const {
        const YamlFields fields(values, "linear", {"width", "bias", "activation"}, origin_);
        LinearSpec linear;
        linear.width = fields.integer("width", size_range, linear.width);
        linear.bias = fields.boolean("bias", linear.bias);
        linear.activation = fields.word("activation", activation_from_name, linear.activation);
        return linear;
    }

    // ---- Stages ----

    StageSpec stage(const YamlNode& item) const {
        const YamlFields fields(
            item, "a stage",
            {"name",       "block",          "width",       "depth",    "stride",      "stride_in",
             "kernel",     "start_kernel",   "padding",     "dilation", "inner_width", "inner_ratio",
             "expansion",  "keep_expansion", "group_width", "groups",   "batch_norm",  "bias",
             "activation", "squeeze_excite", "pool"},
            origin_);
        StageSpec stage;
        if (const YamlNode* node = fields.find("name")) stage.name = stage_name(*node);
        stage.block = fields.required_word("block", block_kind_from_name);
        stage.width = fields.required_integer("width", size_range);
        stage.depth = fields.required_integer("depth", {1, max_stage_depth});
        stage.stride = fields.integer("stride", size_range, stage.stride);
        stage.stride_in = fields.word("stride_in", stride_in_from_name, stage.stride_in);
        const bool universal = stage.block == BlockKind::universal_inverted_bottleneck;
        stage.kernel = fields.integer("kernel", {universal ? 0 : 1, max_layer_size}, stage.kernel);
        stage.start_kernel = fields.integer("start_kernel", {0, max_layer_size}, stage.start_kernel);
        stage.padding = padding(fields);
        stage.dilation = fields.integer("dilation", size_range, stage.dilation);
        stage.keep_expansion = fields.boolean("keep_expansion", stage.keep_expansion);
        stage.group_width = fields.integer("group_width", size_range, stage.group_width);
        stage.groups = fields.integer("groups", size_range, stage.groups);
        stage.batch_norm = fields.boolean("batch_norm", stage.batch_norm);
        stage.bias = fields.boolean("bias", !stage.batch_norm);
        stage.activation = fields.word("activation", activation_from_name, activation_);
        if (const YamlNode* squeeze = fields.find("squeeze_excite")) {
            stage.squeeze_excite = squeeze_excite(*squeeze);
        }
        if (const YamlNode* pool = fields.find("pool")) stage.pool = max_pool(*pool);
        inner_widths(fields, stage);
        return stage;
    }

    std::string stage_name(const YamlNode& node) const {
        std::string text = name(node, "name");
        for (const StageSpec& other : model_.stages) {
            if (other.name == text) fail(node, fmt::format("name: two stages are called '{}'", text));
        }
        return text;
    }

    SqueezeExciteSpec squeeze_excite(const YamlNode& node) const {
        const YamlFields fields(node, "squeeze_excite",
                                {"ratio", "from", "at", "divisor", "activation", "gate"}, origin_);
        SqueezeExciteSpec spec;
        spec.ratio = detail::read_number(fields.required("ratio"), "ratio", 0.0, 1.0, origin_);
        spec.from = fields.word("from", squeeze_from_name, spec.from);
        spec.place = fields.word("at", squeeze_place_from_name, spec.place);
        spec.divisor = fields.integer("divisor", {1, 1024}, spec.divisor);
        spec.activation = fields.word("activation", activation_from_name, spec.activation);
        spec.gate = fields.word("gate", activation_from_name, spec.gate);
        return spec;
    }

    static StrideIn stride_in_from_name(const std::string& text) {
        if (text == "spatial") return StrideIn::spatial;
        if (text == "first") return StrideIn::first;
        throw InputError(fmt::format("expected spatial or first, found '{:.60}'", text));
    }

    static SqueezePlace squeeze_place_from_name(const std::string& text) {
        if (text == "inner") return SqueezePlace::inner;
        if (text == "output") return SqueezePlace::output;
        throw InputError(fmt::format("expected inner or output, found '{:.60}'", text));
    }

    static SqueezeFrom squeeze_from_name(const std::string& text) {
        if (text == "inner") return SqueezeFrom::inner;
        if (text == "input") return SqueezeFrom::input;
        throw InputError(fmt::format("expected inner or input, found '{:.60}'", text));
    }

    // At most one of inner_width, inner_ratio and expansion, each where it belongs.
    void inner_widths(const YamlFields& fields, StageSpec& stage) const {
        const YamlNode* given = nullptr;
        for (const std::string_view key : {"inner_width", "inner_ratio", "expansion"}) {
            const YamlNode* node = fields.find(key);
            if (node == nullptr) continue;
            if (!has_inner_width(stage.block)) {
                fail(*node, fmt::format("{}: {} blocks have no inner width", key, name_of(stage.block)));
            }
            if (given != nullptr) {
                fail(*node, fmt::format("{}: the inner width is given a second time; it was given on line {}",
                                        key, given->line));
            }
            given = node;
        }
        if (!has_inner_width(stage.block)) return;
        const bool of_input = inner_derives_from_input(stage.block);
        const std::string_view ratio_key = of_input ? "expansion" : "inner_ratio";
        if (const YamlNode* node = fields.find(of_input ? "inner_ratio" : "expansion")) {
            fail(*node,
                 fmt::format("the inner width of {} blocks is a ratio of {}; expected the key '{}'",
                             name_of(stage.block), of_input ? "their input" : "their width", ratio_key));
        }
        if (const YamlNode* node = fields.find("inner_width")) {
            listed_inner_widths(*node, stage);
            return;
        }
        double ratio = 1.0;
        if (given != nullptr) {
            ratio = detail::read_number(*given, ratio_key, 0.0, max_ratio, origin_);
        } else if (stage.block != BlockKind::basic && stage.block != BlockKind::preact_basic) {
            throw InputError(origin_, fields.line(),
                             fmt::format("a stage of {} blocks needs the key 'inner_width' or '{}'",
                                         name_of(stage.block), ratio_key));
        }
        const int input = stage_input_width(model_, static_cast<int>(model_.stages.size()));
        for (int block = 0; block < stage.depth; ++block) {
            const int leader = of_input && block == 0 ? input : stage.width;
            const double inner = std::round(ratio * leader);
            if (inner < 1.0 || inner > max_layer_size) {
                throw InputError(origin_, given == nullptr ? fields.line() : given->line,
                                 fmt::format("{}: gives an inner width of {}, expected 1 to {}", ratio_key,
                                             inner, max_layer_size));
            }
            stage.inner_widths.push_back(static_cast<int>(inner));
        }
    }

    // One number for every block, or a list with one number a block.
    void listed_inner_widths(const YamlNode& node, StageSpec& stage) const {
        if (node.kind != YamlNode::Kind::sequence) {
            stage.inner_widths.assign(stage.depth,
                                      detail::read_integer(node, "inner_width", size_range, origin_));
            return;
        }
        if (std::ssize(node.items) != stage.depth) {
            fail(node, fmt::format("inner_width: expected one width for each of the {} blocks, found {}",
                                   stage.depth, node.items.size()));
        }
        for (const YamlNode& item : node.items) {
            stage.inner_widths.push_back(detail::read_integer(item, "inner_width", size_range, origin_));
        }
    }

    const YamlNode& root_;
    const std::string& origin_;
    ModelSpec model_;
    Activation activation_ = Activation::relu;  // what a conv, norm or block has that names none
};

// The line of the part that a problem is about: its field's where it is written out, else its entry's.
int line_of(const YamlNode& root, const ModelPlace& place) {
    const auto field_line = [&](const YamlNode& node) {
        const YamlNode* field = node.find(place.field);
        return field == nullptr ? 0 : field->line;
    };
    const std::string_view section = place.section == ModelSection::stem     ? "stem"
                                     : place.section == ModelSection::stages ? "stages"
                                     : place.section == ModelSection::head   ? "head"
                                                                             : "";
    const YamlNode* entries = root.find(section);
    if (entries == nullptr || place.index >= std::ssize(entries->items)) {
        const YamlNode* input = root.find("input");
        if (const int line = field_line(root)) return line;
        const int line = input == nullptr ? 0 : field_line(*input);
        return line > 0 ? line : root.line;
    }
    const YamlNode& entry = entries->items[place.index];
    if (const int line = field_line(entry)) return line;
    for (const detail::YamlEntry& part : entry.entries) {
        if (const int line = field_line(part.value)) return line;
    }
    return entry.line;
}

}  // namespace

ModelSpec parse_model(std::string_view yaml, const std::string& origin) {
    const YamlNode root = detail::parse_yaml(yaml, origin);
    ModelSpec model = ModelReader(root, origin).read();
    try {
        check(model);
    } catch (const ModelProblem& problem) {
        throw InputError(origin, line_of(root, problem.place()), problem.what());
    }
    return model;
}

ModelSpec load_model(const std::filesystem::path& file) {
    return parse_model(detail::read_yaml_file(file, "a model"), file.string());
}

}  // namespace hacscale
