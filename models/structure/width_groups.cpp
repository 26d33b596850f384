#include "models/structure/width_groups.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

namespace hacscale {
namespace {

using Place = WidthParameter::Place;

// What sets the channels of a plain layer's output; null where it keeps those it reads.
int* width_of(PlainLayer& layer) {
    if (auto* conv = std::get_if<ConvSpec>(&layer)) return &conv->width;
    if (auto* linear = std::get_if<LinearSpec>(&layer)) return &linear->width;
    return nullptr;
}

int& width_at(ModelSpec& model, const WidthParameter& parameter) {
    const auto index = static_cast<std::size_t>(parameter.index);
    switch (parameter.place) {
        case Place::stem:
            return *width_of(model.stem[index]);
        case Place::head:
            return *width_of(model.head[index]);
        case Place::inner:
            return model.stages[index].inner_widths[static_cast<std::size_t>(parameter.block)];
        case Place::stage:
            break;
    }
    return model.stages[index].width;
}

std::string name_of(const ModelSpec& model, const WidthParameter& parameter) {
    const std::string number = std::to_string(parameter.index + 1);
    const auto index = static_cast<std::size_t>(parameter.index);
    const auto plain = [&](const PlainLayer& layer) {
        return (std::holds_alternative<ConvSpec>(layer) ? "conv" : "linear") + number;
    };
    if (parameter.place == Place::stem) return "stem." + plain(model.stem[index]);
    if (parameter.place == Place::head) return "head." + plain(model.head[index]);
    const std::string& given = model.stages[index].name;
    std::string stage = given.empty() ? "stage" + number : given;
    if (parameter.place == Place::stage) return stage;
    return stage + ".block" + std::to_string(parameter.block + 1) + " inner";
}

// Walks through the network and unites what is tied. Sets are numbered; 0 is the input's.
class Ties {
public:
    explicit Ties(const ModelSpec& base) : base_(base) {
        for (std::size_t i = 0; i < base_.stem.size(); ++i) plain(Place::stem, i, base_.stem[i]);
        for (std::size_t s = 0; s < base_.stages.size(); ++s) stage(s);
        for (std::size_t i = 0; i < base_.head.size(); ++i) plain(Place::head, i, base_.head[i]);
    }

    std::vector<WidthGroup> groups() {
        std::vector<WidthGroup> groups;
        std::vector<int> group_of(set_.size(), -1);
        for (std::size_t i = 1; i < set_.size(); ++i) {
            const int set = set_[i];
            if (set == set_[0] || set == set_[static_cast<std::size_t>(here_)]) continue;
            int& known = group_of[static_cast<std::size_t>(set)];
            if (known < 0) {
                known = static_cast<int>(groups.size());
                groups.emplace_back();
            }
            add(groups[static_cast<std::size_t>(known)], parameters_[i]);
        }
        return groups;
    }

private:
    int declare(const WidthParameter& parameter) {
        parameters_.push_back(parameter);
        set_.push_back(static_cast<int>(set_.size()));
        return set_.back();
    }

    void unite(int a, int b) {
        const int from = set_[static_cast<std::size_t>(b)];
        const int to = set_[static_cast<std::size_t>(a)];
        std::replace(set_.begin(), set_.end(), from, to);
    }

    void plain(Place place, std::size_t index, PlainLayer layer) {
        if (width_of(layer) == nullptr) return;
        here_ = declare({place, static_cast<int>(index), 0});
        here_channels_ = *width_of(layer);
    }

    void stage(std::size_t index) {
        const StageSpec& spec = base_.stages[index];
        const int place = static_cast<int>(index);
        here_channels_ = stage_input_width(base_, place);
        const int own = declare({Place::stage, place, 0});
        const bool has_residual = spec.block != BlockKind::conv && spec.block != BlockKind::separable;
        if (has_residual && spec.stride == 1 && here_channels_ == spec.width) unite(here_, own);
        for (int block = 0; block < spec.depth; ++block) {
            const int input = block == 0 ? here_ : own;
            const int input_channels = block == 0 ? here_channels_ : spec.width;
            if (!has_inner_width(spec.block)) continue;
            const int inner = declare({Place::inner, place, block});
            const bool no_expansion = spec.block == BlockKind::inverted_residual &&
                                      spec.inner_widths[static_cast<std::size_t>(block)] == input_channels;
            if (no_expansion) unite(input, inner);
        }
        here_ = own;
        here_channels_ = spec.width;
    }

    void add(WidthGroup& group, const WidthParameter& parameter) {
        if (group.parameters.empty()) {
            ModelSpec model = base_;
            group.base_width = width_at(model, parameter);
        }
        group.parameters.push_back(parameter);
        group.name += (group.name.empty() ? "" : " + ") + name_of(base_, parameter);
        if (parameter.place == Place::inner) {
            const int channels = base_.stages[static_cast<std::size_t>(parameter.index)].group_width;
            group.multiple = std::lcm(group.multiple, std::max(channels, 1));
        }
    }

    const ModelSpec& base_;
    std::vector<WidthParameter> parameters_{{}};  // the first stands for the input
    std::vector<int> set_{0};                     // of each parameter
    int here_ = 0;  // the parameter that sets the width of what the next layer reads
    int here_channels_ = 0;
};

}  // namespace

std::vector<WidthGroup> width_groups(const ModelSpec& base) {
    return Ties(base).groups();
}

ModelSpec widened(const ModelSpec& base, const WidthGroup& group, int width) {
    ModelSpec model = base;
    for (const WidthParameter& parameter : group.parameters) width_at(model, parameter) = width;
    return model;
}

}  // namespace hacscale
