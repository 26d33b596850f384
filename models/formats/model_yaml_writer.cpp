// to_yaml() and model_hash(): the shortest text that reads back as the same model. Values that equal the
// format's defaults are left out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

#include "base/hash.hpp"
#include "models/formats/formats.hpp"

namespace hacscale {
namespace {

// Collects "key: value" parts of a flow mapping.
class FlowMapping {
public:
    template <typename Value>
    FlowMapping& add(std::string_view key, const Value& value) {
        fmt::format_to(std::back_inserter(text_), "{}{}: {}", text_.empty() ? "" : separator_, key, value);
        separator_ = ", ";
        return *this;
    }
    template <typename Value>
    FlowMapping& add_unless(std::string_view key, const Value& value, const Value& otherwise) {
        return value == otherwise ? *this : add(key, value);
    }
    // Continues on a new line, under the keys of a list entry.
    FlowMapping& on_new_line() {
        if (!text_.empty()) separator_ = ",\n     ";
        return *this;
    }
    std::string text() const { return "{" + text_ + "}"; }

private:
    std::string text_;
    const char* separator_ = ", ";
};

// Plain where YAML can take it for nothing but text, else in double quotes.
std::string quoted(const std::string& text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const bool plain =
        !text.empty() && letter(text.front()) && text != "null" && text != "Null" && text != "NULL" &&
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+") ==
            std::string::npos;
    if (plain) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

class ModelWriter {
public:
    explicit ModelWriter(const ModelSpec& model)
        : model_(model),
          activation_(model.stages.empty() ? Activation::relu : model.stages.front().activation) {}

    std::string write() {
        line("name: {}", quoted(model_.name));
        if (!model_.source.empty()) line("source: {}", quoted(model_.source));
        line("input: {{channels: {}, resolution: {}}}", model_.in_channels, resolution());
        if (model_.classes > 0) line("classes: {}", model_.classes);
        const double epsilon = model_.batch_norm_epsilon;
        if (epsilon != ModelSpec().batch_norm_epsilon) line("batch_norm_epsilon: {}", epsilon);
        if (activation_ != Activation::relu) line("activation: {}", name_of(activation_));
        section("stem", model_.stem);
        if (!model_.stages.empty()) line("stages:");
        for (int i = 0; i < std::ssize(model_.stages); ++i) line("  - {}", stage(model_.stages[i], i));
        section("head", model_.head);
        if (!model_.output_stages.empty()) line("outputs: [{}]", fmt::join(output_names(), ", "));
        return std::move(out_);
    }

private:
    template <typename... Values>
    void line(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
        out_ += '\n';
    }

    std::string resolution() const {
        if (model_.resolution_width == 0) return std::to_string(model_.resolution);
        return fmt::format("[{}, {}]", model_.resolution, model_.resolution_width);
    }

    std::vector<std::string> output_names() const {
        std::vector<std::string> names;
        for (const int stage : model_.output_stages) {
            const std::string& name = model_.stages[static_cast<std::size_t>(stage)].name;
            names.push_back(name.empty() ? fmt::format("stage{}", stage + 1) : quoted(name));
        }
        return names;
    }

    void section(const char* name, const std::vector<PlainLayer>& layers) {
        if (!layers.empty()) line("{}:", name);
        for (const PlainLayer& layer : layers) {
            line("  - {}", std::visit([this](const auto& spec) { return plain(spec); }, layer));
        }
    }

    std::string plain(const ConvSpec& spec) const {
        const ConvSpec defaults;
        FlowMapping values;
        values.add("width", spec.width).add("kernel", spec.kernel);
        values.add_unless("stride", spec.stride, defaults.stride);
        if (spec.padding) values.add("padding", *spec.padding);
        values.add_unless("dilation", spec.dilation, defaults.dilation)
            .add_unless("groups", spec.groups, defaults.groups)
            .add_unless("batch_norm", spec.batch_norm, defaults.batch_norm)
            .add_unless("bias", spec.bias, defaults.bias)
            .add_unless("activation", name_of(spec.activation), name_of(activation_));
        return "conv: " + values.text();
    }
    std::string plain(const MaxPoolSpec& spec) const { return "max_pool: " + pool(spec); }
    std::string plain(const GlobalAvgPoolSpec&) const { return "global_avg_pool"; }
    std::string plain(const NormSpec& spec) const {
        FlowMapping values;
        values.add_unless("activation", name_of(spec.activation), name_of(activation_));
        return "norm: " + values.text();
    }
    std::string plain(const LinearSpec& spec) const {
        const LinearSpec defaults;
        FlowMapping values;
        values.add_unless("width", spec.width, defaults.width)
            .add_unless("bias", spec.bias, defaults.bias)
            .add_unless("activation", name_of(spec.activation), name_of(defaults.activation));
        return "linear: " + values.text();
    }

    static std::string pool(const MaxPoolSpec& spec) {
        FlowMapping values;
        values.add("kernel", spec.kernel).add("stride", spec.stride).add_unless("padding", spec.padding, 0);
        return values.text();
    }

    static std::string squeeze_excite(const SqueezeExciteSpec& spec) {
        const SqueezeExciteSpec defaults;
        FlowMapping values;
        values.add("ratio", spec.ratio);
        if (spec.from == SqueezeFrom::input) values.add("from", "input");
        if (spec.place == SqueezePlace::output) values.add("at", "output");
        values.add_unless("divisor", spec.divisor, defaults.divisor)
            .add_unless("activation", name_of(spec.activation), name_of(defaults.activation))
            .add_unless("gate", name_of(spec.gate), name_of(defaults.gate));
        return values.text();
    }

    std::string stage(const StageSpec& spec, int index) const {
        const StageSpec defaults;
        FlowMapping values;
        if (!spec.name.empty()) values.add("name", quoted(spec.name));
        values.add("block", name_of(spec.block)).add("width", spec.width).add("depth", spec.depth);
        values.add_unless("stride", spec.stride, defaults.stride);
        if (spec.stride_in == StrideIn::first) values.add("stride_in", "first");
        values.add_unless("kernel", spec.kernel, defaults.kernel)
            .add_unless("start_kernel", spec.start_kernel, defaults.start_kernel);
        if (spec.padding) values.add("padding", *spec.padding);
        values.add_unless("dilation", spec.dilation, defaults.dilation);
        if (has_inner_width(spec.block)) add_inner_widths(values, spec, stage_input_width(model_, index));
        values.add_unless("keep_expansion", spec.keep_expansion, defaults.keep_expansion)
            .add_unless("group_width", spec.group_width, defaults.group_width)
            .add_unless("groups", spec.groups, defaults.groups)
            .add_unless("batch_norm", spec.batch_norm, defaults.batch_norm)
            .add_unless("bias", spec.bias, !spec.batch_norm)
            .add_unless("activation", name_of(spec.activation), name_of(activation_));
        if (spec.squeeze_excite) {
            values.on_new_line().add("squeeze_excite", squeeze_excite(*spec.squeeze_excite));
        }
        if (spec.pool) values.add("pool", pool(*spec.pool));
        return values.text();
    }

    // A whole or simple ratio where it says the same, then one number, then a list.
    static void add_inner_widths(FlowMapping& values, const StageSpec& spec, int input) {
        const bool of_input = inner_derives_from_input(spec.block);
        if (const std::optional<double> ratio = common_ratio(spec, of_input ? input : spec.width)) {
            const bool basic = spec.block == BlockKind::basic || spec.block == BlockKind::preact_basic;
            if (!(basic && *ratio == 1.0)) values.add(of_input ? "expansion" : "inner_ratio", *ratio);
            return;
        }
        const std::vector<int>& inner = spec.inner_widths;
        if (std::all_of(inner.begin(), inner.end(), [&](int width) { return width == inner.front(); })) {
            values.add("inner_width", inner.front());
        } else {
            values.add("inner_width", fmt::format("[{}]", fmt::join(inner, ", ")));
        }
    }

    // The multiple of 1/8 that gives every inner width of the stage.
    static std::optional<double> common_ratio(const StageSpec& spec, int first_leader) {
        if (spec.inner_widths.empty()) return std::nullopt;
        const double ratio = std::round(8.0 * spec.inner_widths.front() / first_leader) / 8.0;
        if (ratio <= 0.0 || ratio > 64.0) return std::nullopt;
        for (std::size_t block = 0; block < spec.inner_widths.size(); ++block) {
            const int leader = block == 0 ? first_leader : spec.width;
            if (std::round(ratio * leader) != spec.inner_widths[block]) return std::nullopt;
        }
        return ratio;
    }

    const ModelSpec& model_;
    Activation activation_;  // written once for the whole model
    std::string out_;
};

}  // namespace

std::string to_yaml(const ModelSpec& model) {
    return ModelWriter(model).write();
}

std::string model_hash(const ModelSpec& model) {
    ModelSpec content = model;
    content.name.clear();
    content.source.clear();
    return hex_hash(to_yaml(content));
}

}  // namespace hacscale
